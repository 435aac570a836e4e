from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..models.lifecycle.project_lock import is_manager, is_unlocked, unlocked
from .lifecycle_common import LifecycleCommon


@tagged("post_install", "-at_install")
class TestLocks(LifecycleCommon):
    """What only our code writes, nobody else does."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.project = cls._create_project()

    def test_locked_field(self):
        for context in ({}, {"lifecycle_unlocked": True}, {"lifecycle_unlocked": {}}):
            project = self.project.with_context(**context)
            self.assertFalse(is_unlocked(project.env))
            for record in (project.sudo(), project.with_user(self.manager)):
                with self.assertRefused(AccessError, "written by the system"):
                    record.lifecycle_stage = "done"
        Project = self.env["project.project"].with_user(self.manager)
        values = {"name": "New", "is_lifecycle": True}
        with self.assertRefused(AccessError, "written by the system"):
            Project.create(values | {"lifecycle_stage": "done"})
        with self.assertRefused(AccessError, "written by the system"):
            Project.with_context(default_lifecycle_stage="done").create(values)

    def test_nothing_is_not_the_default(self):
        """A locked field that starts with a value is not emptied on the way."""
        models = [
            model
            for model in self.env.values()
            if hasattr(model, "_get_locked_fields") and not model._abstract
        ]
        tried = 0
        for model in models:
            for name in model._get_locked_fields():
                field = model._fields[name]
                if not field.default or not field.default(model):
                    continue
                tried += 1
                for values, context in (
                    ({name: False}, {}),
                    ({}, {f"default_{name}": False}),
                ):
                    with (
                        self.subTest(model=model._name, name=name, context=context),
                        self.assertRefused(AccessError, "written by the system"),
                    ):
                        model.with_context(**context).create(values)
        self.assertGreater(tried, 3)

    def test_unlocked(self):
        self.assertTrue(is_unlocked(unlocked(self.project).env))
        self.assertFalse(is_unlocked(self.project.env))

    def test_managers(self):
        self.assertTrue(is_manager(self.env))
        self.assertTrue(is_manager(self.project.with_user(self.manager).env))
        self.assertFalse(is_manager(self.project.with_user(self.consultant).env))

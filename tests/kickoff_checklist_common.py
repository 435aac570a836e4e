from .common import LifecycleCommon


class ChecklistCommon(LifecycleCommon):
    """A client project in the internal kick-off, and one in the kick-off."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._keep_criteria("kickoff_hand_over", "implementation_checklist")
        cls.project = cls._create_project(spoc_id=cls.spoc.id)
        cls.hand_over = cls.project.checklist_ids

    @classmethod
    def _get_item(cls, code, checklist=None):
        checklist = checklist or cls.hand_over
        return checklist.item_ids.filtered(lambda item: item.code == code)

    @classmethod
    def _enter_kickoff(cls):
        cls._settle(cls.hand_over)
        cls.project.stage_id = cls.stage_kickoff
        return cls.project.checklist_ids - cls.hand_over

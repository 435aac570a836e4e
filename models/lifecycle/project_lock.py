from odoo import api, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import ormcache

from .project_values import clean_values

# Context travels over RPC as JSON, which cannot carry this very object.
_UNLOCKED = object()


def unlocked(records):
    """Return records whose locked fields may be written.

    For the one method that writes such a field, after its checks and right before
    ``write`` or ``create``; what it returns is not kept.
    """
    return records.with_context(lifecycle_unlocked=_UNLOCKED)


def is_unlocked(env):
    """Return whether our own code opened the locks, see :func:`unlocked`."""
    return env.context.get("lifecycle_unlocked") is _UNLOCKED


def is_manager(env):
    """Return whether the user decides on all projects, or the system is at work."""
    return env.su or env.user.has_group("project.group_project_manager")


class ProjectLockMixin(models.AbstractModel):
    """Fields of the addon that are ``readonly`` are so for everybody and everywhere.

    Odoo takes ``readonly`` as a matter of forms: by RPC and import a stored computed
    or related field can be written like any other. On the models that inherit this
    mixin only the ORM computes such a field, and only :func:`unlocked` code writes it.

    Models that nobody may write at all need no lock: they have no access rights for it,
    and our code writes them with ``sudo``.
    """

    _name = "project.lock.mixin"
    _description = "Fields Written by the System"

    @api.model
    @ormcache()
    def _get_locked_fields(self):
        """Return the names of the fields that only the system writes."""
        return frozenset(
            name
            for name, field in self._fields.items()
            if field.readonly and field._modules[:1] == ("project_lifecycle",)
        )

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [clean_values(self, vals) for vals in vals_list]
        if not is_unlocked(self.env):
            locked = self._get_locked_fields()
            defaults = {
                name: self.env.context[f"default_{name}"]
                for name in locked
                if f"default_{name}" in self.env.context
            }
            for vals in vals_list:
                for name in locked & (vals.keys() | defaults.keys()):
                    value = vals.get(name, defaults.get(name))
                    default = self._fields[name].default
                    # Clients send what a form shows: that is nothing, or the default
                    if (value or False) != (default(self) if default else False):
                        self._raise_locked(name)
        return super().create(vals_list)

    def write(self, vals):
        vals = clean_values(self, vals)
        if not is_unlocked(self.env):
            for name in vals.keys() & self._get_locked_fields():
                self._raise_locked(name)
        return super().write(vals)

    @api.model
    def _search(self, domain, *args, bypass_access=False, **kwargs):
        """Refuse conditions on fields that are hidden from the user.

        Odoo checks that for fields in the database. A field with a search method would
        tell, one search after the other, what it does not show.
        """
        if not (self.env.su or bypass_access):
            for condition in Domain(domain).iter_conditions():
                field = self._fields.get(condition.field_expr.partition(".")[0])
                if field and field.groups:
                    self._check_field_access(field, "read")
        return super()._search(domain, *args, bypass_access=bypass_access, **kwargs)

    def _read_group_groupby(self, alias, groupby_spec, query):
        """Refuse groups by related fields that are hidden, as by those of the table."""
        name = groupby_spec.partition(":")[0].partition(".")[0]
        field = self._fields.get(name)
        if field and field.groups and not self.env.su:
            self._check_field_access(field, "read")
        return super()._read_group_groupby(alias, groupby_spec, query)

    def copy_data(self, default=None):
        locked = self._get_locked_fields() - (default or {}).keys()
        return [
            {name: value for name, value in vals.items() if name not in locked}
            for vals in super().copy_data(default)
        ]

    @api.model
    def _raise_locked(self, name):
        """Refuse to write a field by hand.

        :param str name: the field
        :raises AccessError: always
        """
        raise AccessError(
            self.env._(
                "“%(field)s” (%(model)s) is written by the system. Use the buttons of "
                "the form instead.",
                field=self._fields[name]._description_string(self.env),
                model=self.env["ir.model"]._get(self._name).name,
            )
        )

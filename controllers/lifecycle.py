from werkzeug.exceptions import Forbidden, NotFound

from odoo.exceptions import AccessError
from odoo.http import request

from odoo.addons.portal.controllers.portal import CustomerPortal


class LifecyclePortal(CustomerPortal):
    """The door of all pages below ``/my/projects/<id>/lifecycle``."""

    def _get_part(self, model, project_id, record_id):
        """Return what belongs to a client project, if the user may read it.

        The record rules decide, and nothing else: no token opens this door.

        :param str model: a model with a ``project_id``
        :param int project_id: the project that the address names
        :param int record_id: the record that the address names
        :return: the record as superuser, the current user being the same
        :raises NotFound: there is none, or not in this project
        :raises Forbidden: it is not the user's to read
        """
        part = request.env[model].browse(record_id)
        part_sudo = part.sudo().exists()  # sudo: whether it is there
        if not part_sudo or part_sudo.project_id.id != project_id:
            raise NotFound
        try:
            part.check_access("read")
        except AccessError as error:
            raise Forbidden from error
        return part_sudo

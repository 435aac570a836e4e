from odoo import api, fields, models
from odoo.exceptions import UserError


class CalendarAttendee(models.Model):
    _inherit = "calendar.attendee"

    attended = fields.Boolean(
        groups="base.group_user", help="Took part in the training."
    )
    reaction = fields.Selection(
        [
            ("confident", "Confident"),
            ("practice", "Needs practice"),
            ("lost", "Lost"),
            ("opposed", "Opposed to the change"),
        ],
        groups="base.group_user",
        help="How this person took the training.",
    )
    reaction_note = fields.Char(
        string="Remarks",
        groups="base.group_user",
        help="What this person found hard, asked for or liked. For internal eyes only.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        attendees = super().create(vals_list)
        attendees._check_reactions(set().union(*vals_list))
        return attendees

    def write(self, vals):
        result = super().write(vals)
        self._check_reactions(vals.keys())
        return result

    def _check_reactions(self, names):
        """Check what is noted about people in a training of a client project.

        :param names: names of the fields written
        :raises AccessError: for users who do not run the project
        :raises UserError: for a reaction of somebody who was not there
        """
        if not {"attended", "reaction", "reaction_note"} & set(names):
            return
        self.event_id._check_lifecycle_rights()
        for attendee in self.sudo():
            if attendee.reaction and not attendee.attended:
                raise UserError(
                    self.env._(
                        "%s has a reaction but did not take part: mark the person as "
                        "attended first.",
                        attendee.common_name,
                    )
                )

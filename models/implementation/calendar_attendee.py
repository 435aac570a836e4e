from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_list

# What is noted about people in a training.
NOTED_FIELDS = {"attended", "reaction", "reaction_note"}


class CalendarAttendee(models.Model):
    _inherit = "calendar.attendee"

    attended = fields.Boolean(
        groups="project.group_project_user,sales_team.group_sale_salesman",
        help="Took part in the training.",
    )
    reaction = fields.Selection(
        [
            ("confident", "Confident"),
            ("practice", "Needs practice"),
            ("lost", "Lost"),
            ("opposed", "Opposed to the change"),
        ],
        groups="project.group_project_user,sales_team.group_sale_salesman",
        help="How this person took the training.",
    )
    reaction_note = fields.Char(
        string="Remarks",
        groups="project.group_project_user,sales_team.group_sale_salesman",
        help="What this person found hard, asked for or liked. For internal eyes only.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        attendees = super().create(vals_list)
        # By what they hold and not by what was handed in: there are defaults as well
        noted = attendees.sudo().filtered(
            lambda attendee: any(attendee[name] for name in NOTED_FIELDS)
        )
        (attendees & noted)._check_reactions()
        return attendees

    def write(self, vals):
        if {"event_id", "partner_id"} & vals.keys():
            self._check_who_was_there()
        result = super().write(vals)
        if NOTED_FIELDS & vals.keys():
            self._check_reactions()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_evidence(self):
        self._check_who_was_there()

    def _check_who_was_there(self):
        """Check that nobody of the client leaves a meeting that a cycle counts on.

        :raises UserError: with the person
        """
        for attendee in self.sudo():  # sudo: private meetings count as well
            event = attendee.event_id
            client = event.project_id.partner_id.commercial_partner_id
            if (
                event.held
                and (event.cycle_ids or event.training_cycle_ids)
                and attendee.partner_id.commercial_partner_id == client
            ):
                raise UserError(
                    self.env._(
                        "%(person)s took part in “%(meeting)s”, which was held and "
                        "counts for a cycle: that stays. If it is wrong, say first "
                        "that the meeting was not held.",
                        person=attendee.common_name,
                        meeting=event.name,
                    )
                )

    def _check_reactions(self):
        """Check what is noted about people in a training of a client project.

        :raises AccessError: for users who do not run the project
        :raises UserError: for a reaction of somebody who was not there
        """
        self.event_id._check_lifecycle_rights()
        # Not the salesperson, who plans meetings but does not say how people took them
        projects = self.event_id.project_id
        if foreign := projects - projects._filtered_access("write"):
            raise AccessError(
                self.env._(
                    "Who took part in the meetings of %s, and how, is noted by the "
                    "people who run the project.",
                    # sudo: the names of projects whose meetings the user plans
                    format_list(self.env, foreign.sudo().mapped("name")),
                )
            )
        for attendee in self.sudo():
            if attendee.reaction and not attendee.attended:
                raise UserError(
                    self.env._(
                        "%s has a reaction but did not take part: mark the person as "
                        "attended first.",
                        attendee.common_name,
                    )
                )

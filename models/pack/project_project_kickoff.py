from odoo import api, fields, models
from odoo.tools import SQL


class ProjectProject(models.Model):
    """How much of the hours the kick-off takes."""

    _inherit = "project.project"

    kickoff_hours = fields.Float(
        string="Kick-off Hours",
        compute="_compute_kickoff_hours",
        compute_sudo=True,
        groups="base.group_user",
        help="Hours logged until the day on which the project left the kick-off.",
    )
    kickoff_share = fields.Float(
        string="Kick-off Share (%)",
        compute="_compute_kickoff_hours",
        compute_sudo=True,
        groups="base.group_user",
        help="Hours of the kick-off as a percentage of the hours bought.",
    )
    is_kickoff_share_off = fields.Boolean(
        string="Kick-off Share off Target",
        compute="_compute_kickoff_hours",
        compute_sudo=True,
        groups="base.group_user",
        help="The kick-off takes more of the hours bought than it should, or took "
        "less.",
    )

    @api.depends(
        "pack_purchased_hours",
        "lifecycle_stage",
        "timesheet_ids.is_deducted",
        "timesheet_ids.unit_amount",
    )
    def _compute_kickoff_hours(self):
        Pack = self.env["project.consultancy.pack"]
        hours = {}
        for project_id, uom_id, amount in self._read_kickoff_time():
            uom = self.env["uom.uom"].browse(uom_id or [])
            hours[project_id] = hours.get(project_id, 0.0) + Pack._to_hours(amount, uom)
        for project in self:
            used = hours.get(project._origin.id, 0.0)
            bought = project.pack_purchased_hours
            company = (
                project.company_id or project.user_id.company_id or self.env.company
            )
            share = 100 * used / bought if bought else 0.0
            beyond = share - company.kickoff_share_target
            over = project.lifecycle_stage not in ("internal_kickoff", "kickoff")
            project.kickoff_hours = used
            project.kickoff_share = share
            # While it goes on, the kick-off can only take too much
            project.is_kickoff_share_off = bool(bought) and (
                beyond > company.kickoff_share_tolerance
                or (over and -beyond > company.kickoff_share_tolerance)
            )

    def _read_kickoff_time(self):
        """Return the time logged until each project first left the kick-off.

        The day on which it left counts, in the time zone of the consultant, else of the
        company's working calendar: whoever looks sees the same.

        :return: list of (project id, unit of measure id, sum of the quantities)
        """
        Line = self.env["account.analytic.line"]
        Line.flush_model(
            ["date", "is_deducted", "product_uom_id", "project_id", "unit_amount"]
        )
        self.flush_model(["company_id", "user_id"])
        self.env["res.partner"].flush_model(["tz"])
        self.env["project.stage.transition"].flush_model()
        self.env["project.project.stage"].flush_model(["lifecycle_stage"])
        return self.env.execute_query(
            SQL(
                """
                SELECT line.project_id, line.product_uom_id, SUM(line.unit_amount)
                  FROM account_analytic_line line
             LEFT JOIN (
                       SELECT transition.project_id,
                              MIN(transition.date AT TIME ZONE 'UTC'
                                  AT TIME ZONE COALESCE(NULLIF(partner.tz, ''),
                                                        NULLIF(calendar.tz, ''),
                                                        'UTC'))::date AS date
                         FROM project_stage_transition transition
                         JOIN project_project_stage stage
                           ON stage.id = transition.to_stage_id
                         JOIN project_project project
                           ON project.id = transition.project_id
                    LEFT JOIN res_users consultant
                           ON consultant.id = project.user_id
                    LEFT JOIN res_partner partner
                           ON partner.id = consultant.partner_id
                    LEFT JOIN res_company company
                           ON company.id = COALESCE(
                                  project.company_id, consultant.company_id)
                    LEFT JOIN resource_calendar calendar
                           ON calendar.id = company.resource_calendar_id
                        WHERE transition.project_id = ANY(%(project_ids)s)
                          AND stage.lifecycle_stage
                              NOT IN ('internal_kickoff', 'kickoff')
                     GROUP BY transition.project_id
                       ) kickoff_end ON kickoff_end.project_id = line.project_id
                 WHERE line.project_id = ANY(%(project_ids)s)
                   AND line.is_deducted
                   AND (kickoff_end.date IS NULL OR line.date <= kickoff_end.date)
              GROUP BY line.project_id, line.product_uom_id
                """,
                project_ids=self.ids,
            )
        )

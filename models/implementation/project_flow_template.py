from odoo import fields, models


class ProjectFlowTemplate(models.Model):
    _name = "project.flow.template"
    _description = "Template of a Business Flow"
    _order = "application_id, sequence, id"

    active = fields.Boolean(default=True, export_string_translation=False)
    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10, export_string_translation=False)
    application_id = fields.Many2one(
        "project.application",
        required=True,
        index=True,
        ondelete="cascade",
        help="A phase that brings this application is proposed this flow.",
    )
    to_be = fields.Html(
        string="TO-BE", translate=True, help="How the standard works, to start from."
    )
    requirements = fields.Html(
        translate=True, help="What is usually asked before such a flow is validated."
    )
    delicate_points = fields.Html(translate=True, help="Where it usually goes wrong.")
    task_ids = fields.One2many(
        "project.flow.template.task", "template_id", string="Tasks"
    )


class ProjectFlowTemplateTask(models.Model):
    _name = "project.flow.template.task"
    _description = "Template of a Task of a Business Flow"
    _order = "sequence, id"

    active = fields.Boolean(default=True, export_string_translation=False)
    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10, export_string_translation=False)
    template_id = fields.Many2one(
        "project.flow.template",
        string="Business Flow",
        index="btree_not_null",
        ondelete="cascade",
        help="Empty: the task is proposed for every flow.",
    )
    work_type_id = fields.Many2one("project.work.type", ondelete="restrict")
    allocated_hours = fields.Float()
    is_client_task = fields.Boolean(
        string="For the Client",
        help="The client does it. Time that the firm logs on it is deducted as all "
        "time.",
    )

    _allocated_hours_positive = models.Constraint(
        "CHECK (allocated_hours >= 0)",
        "The hours of a task cannot be negative.",
    )

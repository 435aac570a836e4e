from odoo.fields import Command

from .models.lifecycle.res_config_settings import ALL_BY_STAGE


def pre_init_hook(env):
    """Remember whether the firm already looks at all its projects by stage."""
    stages_group = env.ref("project.group_project_stages")
    if stages_group in env.ref("base.group_user").all_implied_ids:
        env["ir.config_parameter"].set_param(ALL_BY_STAGE, True)


def uninstall_hook(env):
    """Leave client projects as ordinary ones, in the stages of stock Odoo.

    The stages of the lifecycle go with the addon, and a stage that holds projects
    cannot be deleted.
    """
    env.flush_all()
    # What was deducted stays deducted from the sold hours, as if chosen by hand
    env.cr.execute(
        """
        UPDATE account_analytic_line
           SET is_so_line_edited = TRUE, pack_id = NULL, work_type_id = NULL
         WHERE pack_id IS NOT NULL
        """
    )
    # The work types go before the columns that name them
    env.cr.execute("UPDATE project_project_stage SET work_type_id = NULL")
    env.cr.execute("UPDATE project_task SET work_type_id = NULL")
    env.cr.execute("DELETE FROM project_consultancy_pack")
    env.invalidate_all()
    Project = env["project.project"].with_context(active_test=False)
    projects = Project.search([("is_lifecycle", "=", True)])
    finished = projects.filtered(lambda project: project.lifecycle_stage == "done")
    projects.write({"is_lifecycle": False})
    closed_stage = env["project.project.stage"].search(
        [("lifecycle_stage", "=", False), ("fold", "=", True)], limit=1
    )
    if closed_stage:
        finished.write({"stage_id": closed_stage.id})
    Parameter = env["ir.config_parameter"]
    if not Parameter.get_param(ALL_BY_STAGE):
        # The feature came with the addon; pre_init_hook notes when it was there before.
        stages_group = env.ref("project.group_project_stages")
        env.ref("base.group_user").implied_ids = [Command.unlink(stages_group.id)]
    Parameter.set_param(ALL_BY_STAGE, False)
    # The history goes with its table, but before that it would keep the stages.
    env.cr.execute("DELETE FROM project_stage_transition")

def uninstall_hook(env):
    """Leave client projects as ordinary ones, in the stages of stock Odoo.

    The stages of the lifecycle go with the addon, and a stage that holds projects
    cannot be deleted.
    """
    Project = env["project.project"].with_context(active_test=False)
    projects = Project.search([("is_lifecycle", "=", True)])
    finished = projects.filtered(lambda project: project.lifecycle_stage == "done")
    projects.write({"is_lifecycle": False})
    closed_stage = env["project.project.stage"].search(
        [("lifecycle_stage", "=", False), ("fold", "=", True)], limit=1
    )
    if closed_stage:
        finished.write({"stage_id": closed_stage.id})
    # The history goes with its table, but before that it would keep the stages.
    env.cr.execute("DELETE FROM project_stage_transition")

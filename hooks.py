from odoo.fields import Command


def pre_init_hook(env):
    """Remember whether the firm already looks at all its projects by stage."""
    stages_group = env.ref("project.group_project_stages")
    if stages_group in env.ref("base.group_user").all_implied_ids:
        env["ir.config_parameter"].set_param(
            "project_lifecycle.all_projects_by_stage", True
        )


def post_init_hook(env):
    """Put the first tasks into the shipped project template.

    Odoo does not translate the texts of tasks, so they are written in the language of
    the firm, or else of the person who installs the addon.
    """
    lang = env.company.partner_id.lang or env.user.lang
    env = env(context={**env.context, "lang": lang})
    tasks = {
        "task_internal_kickoff": (
            env._("Internal kick-off"),
            env._(
                "A short call between salesperson and consultant before anyone talks "
                "to the client: note what was sold and mark what must be cleared up."
            ),
        ),
        "task_kickoff": (
            env._("Kick-off with the client"),
            env._(
                "Agree on the methodology and the ways of working, and understand "
                "the current and the desired situation of each business flow. "
                "About 10 % of the implementation time."
            ),
        ),
        "task_project_management": (
            env._("Project management"),
            env._(
                "Log all the less visible work here too: planning, questions to "
                "experts, preparation and follow-up."
            ),
        ),
        "task_mvp_planning": (
            env._("Plan the phases of the MVP"),
            env._(
                "The first phase brings the apps with most daily value. Standard and "
                "critical needs come first, improvements later."
            ),
        ),
    }
    env["project.task"]._load_records(
        [
            {
                "xml_id": f"project_lifecycle.{name}",
                "noupdate": True,
                "values": {
                    "name": title,
                    "description": description,
                    "project_id": env.ref(
                        "project_lifecycle.project_template_implementation"
                    ).id,
                    "stage_id": env.ref("project_lifecycle.task_type_to_do").id,
                    "user_ids": [Command.clear()],
                    "sequence": sequence,
                },
            }
            for sequence, (name, (title, description)) in enumerate(
                tasks.items(), start=1
            )
        ]
    )


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
    Parameter = env["ir.config_parameter"]
    if not Parameter.get_param("project_lifecycle.all_projects_by_stage"):
        # The feature came with the addon; pre_init_hook notes when it was there before.
        stages_group = env.ref("project.group_project_stages")
        env.ref("base.group_user").implied_ids = [Command.unlink(stages_group.id)]
    Parameter.set_param("project_lifecycle.all_projects_by_stage", False)
    # The history goes with its table, but before that it would keep the stages.
    env.cr.execute("DELETE FROM project_stage_transition")

from odoo.fields import Command
from odoo.tools import SQL

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
    env["sale.order.line"]._store_delivered()
    env.flush_all()
    # What was deducted stays deducted from the sold hours, as if chosen by hand
    env.cr.execute(
        """
        UPDATE account_analytic_line
           SET is_so_line_edited = TRUE
         WHERE pack_id IS NOT NULL
        """
    )
    _delete_records(env, keep={"project_stage_criterion", "project_stage_transition"})
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
    _delete_records(env, keep=set())
    _release_used_data(env)


def _delete_records(env, keep):
    """Empty the addon's own tables, whatever order their keys ask for.

    Odoo drops the tables and the columns that point to them; before that it deletes the
    records that came as data, which the records of users would hinder.

    :param keep: the tables that are left alone
    """
    tables = {
        model._table
        for model in env.values()
        if model._original_module == "project_lifecycle" and model._auto
    } - keep
    env.cr.execute(
        """
        SELECT source.relname, attribute.attname, attribute.attnotnull, key.conname
          FROM pg_constraint key
          JOIN pg_class source ON source.oid = key.conrelid
          JOIN pg_class target ON target.oid = key.confrelid
          JOIN pg_namespace schema ON schema.oid = target.relnamespace
          JOIN pg_attribute attribute
            ON attribute.attrelid = source.oid AND attribute.attnum = key.conkey[1]
         WHERE key.contype = 'f'
           AND schema.nspname = current_schema
           AND target.relname = ANY(%s)
        """,
        [sorted(tables)],
    )
    for source, column, is_required, key in env.cr.fetchall():
        names = {
            "source": SQL.identifier(source),
            "column": SQL.identifier(column),
            "key": SQL.identifier(key),
        }
        env.cr.execute(SQL("ALTER TABLE %(source)s DROP CONSTRAINT %(key)s", **names))
        if source in tables:
            continue
        if is_required:  # the rows of a many2many
            env.cr.execute(SQL("DELETE FROM %(source)s", **names))
        else:
            env.cr.execute(
                SQL(
                    "UPDATE %(source)s SET %(column)s = NULL"
                    " WHERE %(column)s IS NOT NULL",
                    **names,
                )
            )
    for table in sorted(tables):
        env.cr.execute(SQL("DELETE FROM %s", SQL.identifier(table)))
    env.invalidate_all()


def _release_used_data(env):
    """Leave the firm what came with the addon and is in use by now.

    Activities become to-dos; task stages that hold tasks, products that were sold and
    the orders and clients of the demo belong to the firm.
    """
    data = env["ir.model.data"].search([("module", "=", "project_lifecycle")])
    ids = {
        model: [item.res_id for item in items]
        for model, items in data.grouped("model").items()
    }
    env["mail.activity"].with_context(active_test=False).search(
        [("activity_type_id", "in", ids["mail.activity.type"])]
    ).activity_type_id = env.ref("mail.mail_activity_data_todo")
    used = {
        "project.task.type": env["project.task"]
        .with_context(active_test=False)
        .search([("stage_id", "in", ids["project.task.type"])])
        .stage_id.ids,
        "product.template": env["sale.order.line"]
        .search([("product_template_id", "in", ids["product.template"])])
        .product_template_id.ids,
    }
    data.filtered(
        lambda item: (item.res_id in used.get(item.model, ()) or "_demo" in item.name)
    ).unlink()

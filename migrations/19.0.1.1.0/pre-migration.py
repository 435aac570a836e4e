def migrate(cr, version):
    """Say of each line of time whether it is deducted; drop the totals of packs."""
    cr.execute(
        "ALTER TABLE account_analytic_line ADD COLUMN IF NOT EXISTS is_deducted bool"
    )
    cr.execute(
        """
        UPDATE account_analytic_line line
           SET is_deducted = TRUE
          FROM project_project project
         WHERE project.id = line.project_id
           AND project.is_lifecycle
           AND project.is_template IS NOT TRUE
           AND line.pack_write_off IS NOT TRUE
           AND NOT EXISTS (
               SELECT FROM res_company company
                WHERE company.internal_project_id = project.id
           )
        """
    )
    cr.execute(
        """
        ALTER TABLE project_consultancy_pack
        DROP COLUMN IF EXISTS consumed_hours,
        DROP COLUMN IF EXISTS remaining_hours,
        DROP COLUMN IF EXISTS usage
        """
    )
    # This view is checked below its parent, which is updated first and hides fields
    # that the former text of this one shows to all. The end of the update shows it.
    cr.execute(
        """
        UPDATE ir_ui_view
           SET active = FALSE
          FROM ir_model_data data
         WHERE data.model = 'ir.ui.view'
           AND data.res_id = ir_ui_view.id
           AND data.module = 'project_lifecycle'
           AND data.name = 'view_calendar_event_form_checklist'
        """
    )

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

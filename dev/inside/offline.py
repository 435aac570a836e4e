# Run in Odoo's shell, on a fresh template database.
#
# Odoo completes the data of companies and partners from a paid service on the
# internet. It comes uninvited (auto_install) and warns in the log at each company
# that is saved where there is no network. A database for development and tests has
# no business asking it: uninstall it the way a user would.
env["ir.module.module"].search(
    [("name", "=", "partner_autocomplete"), ("state", "=", "installed")]
).button_immediate_uninstall()

{
    "name": "Project Lifecycle",
    "summary": "Client implementation projects from internal kick-off to support",
    "version": "19.0.1.0.0",
    "category": "Services/Project",
    "license": "LGPL-3",
    "author": "Project Lifecycle Contributors",
    "website": "https://github.com/project-lifecycle/project_lifecycle",
    "depends": ["sale_timesheet", "calendar"],
    "data": [
        "security/project_lifecycle_groups.xml",
        "security/ir.model.access.csv",
        "security/lifecycle_security.xml",
        "data/lifecycle_stage_data.xml",
        "data/lifecycle_activity_data.xml",
        "data/lifecycle_template_data.xml",
        "wizards/lifecycle_stage_override_views.xml",
        "views/lifecycle_meeting_views.xml",
        "views/lifecycle_transition_views.xml",
        "views/lifecycle_stage_views.xml",
        "views/lifecycle_project_views.xml",
        "views/lifecycle_settings_views.xml",
        "views/lifecycle_menus.xml",
        "data/lifecycle_criterion_data.xml",
    ],
    "demo": [
        "demo/lifecycle_users_demo.xml",
        "demo/lifecycle_projects_demo.xml",
    ],
    "assets": {
        "web.assets_backend": [
            "project_lifecycle/static/src/lifecycle/**/*",
        ],
        "web.assets_tests": [
            "project_lifecycle/static/tests/tours/**/*",
        ],
    },
    "application": True,
}

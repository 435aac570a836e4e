import {registry} from "@web/core/registry";

registry.category("web_tour.tours").add("project_lifecycle_log_time", {
    steps: () => [
        {
            content: "Open the pack of the client",
            trigger: ".o_data_row:contains('Almazara ERP') td[name='name']",
            run: "click",
        },
        {
            content: "Ten hours are left, and a picture shows it",
            trigger: ".o_pack_burn_down canvas",
        },
        {
            content: "Open its time",
            trigger: "button[name='action_view_time']",
            run: "click",
        },
        {
            content: "Log time",
            trigger: ".o_list_button_add",
            run: "click",
        },
        {
            content: "Say what was done",
            trigger: ".o_selected_row .o_field_widget[name='name'] input",
            run: "edit Plan of the next phase",
        },
        {
            content: "The stage proposes the work type: choose another one",
            trigger: ".o_selected_row .o_field_widget[name='work_type_id'] input",
            run: "click",
        },
        {
            content: "Choose project management",
            trigger: ".o_select_menu_item:contains('Project management')",
            run: "click",
        },
        {
            content: "Say how long it took",
            trigger: ".o_selected_row .o_field_widget[name='unit_amount'] input",
            run: "edit 2:30",
        },
        {
            content: "Save",
            trigger: ".o_list_button_save",
            run: "click",
        },
        {
            content: "Go back to the pack",
            trigger: "body:not(:has(.o_selected_row)) .o_back_button, .o_breadcrumb a:last",
            run: "click",
        },
        {
            content: "The time is deducted",
            trigger: ".o_field_widget[name='remaining_hours']:contains('07:30')",
        },
        {
            content: "Ask for more hours",
            trigger: "button[name='action_renew']",
            run: "click",
        },
        {
            content: "The salesperson is asked",
            trigger: ".o_notification:contains('was asked to renew')",
        },
    ],
});

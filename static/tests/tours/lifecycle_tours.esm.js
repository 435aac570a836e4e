import {registry} from "@web/core/registry";

const gate = ".o_lifecycle_gate_stage";
const card = ".o_kanban_record:contains('Almazara ERP')";

registry.category("web_tour.tours").add("project_lifecycle_from_order_to_kickoff", {
    steps: () => [
        {
            content: "Confirm the order",
            trigger: "button[name='action_confirm']",
            run: "click",
        },
        {
            content: "Open the project that the order made",
            trigger: "button[name='action_view_project_ids']",
            run: "click",
        },
        {
            content: "Open the settings of the project, with its gate",
            trigger: ".o_control_panel .breadcrumb, .o_breadcrumb",
            run() {
                window.location.href = "/odoo/client-projects";
            },
            expectUnloadPage: true,
        },
        {
            content: "Open the new client project",
            trigger: ".o_kanban_record:contains('Almazara -')",
            run: "click",
        },
        {
            content: "Two of the three criteria are missing",
            trigger: `${gate} .o_lifecycle_gate_count:contains('1 / 3')`,
        },
        {
            content: "Try to move on",
            trigger: `${gate} button:contains('Move to Kick-off')`,
            run: "click",
        },
        {
            content: "The gate says what is missing",
            trigger: ".modal .modal-body:contains('The internal kick-off was held')",
        },
        {
            content: "Close the dialog",
            trigger: ".modal .modal-footer button",
            run: "click",
        },
        {
            content: "Let the gate lead to the SPOC",
            trigger: `${gate} li:contains('SPOC') button:contains('Do it')`,
            run: "click",
        },
        {
            content: "Name the SPOC",
            trigger: ".o_field_widget[name='spoc_id'] input",
            run: "edit Beatriz",
        },
        {
            content: "Choose the contact",
            trigger: ".o-autocomplete--dropdown-item:contains('Beatriz Soler')",
            run: "click",
        },
        {
            content: "Let the gate lead to the meetings",
            trigger: `${gate} li:contains('internal kick-off') button:contains('Do it')`,
            run: "click",
        },
        {
            content: "Add the call",
            trigger: ".o_list_button_add",
            run: "click",
        },
        {
            content: "It is an internal kick-off, and it was held",
            trigger:
                ".o_field_widget[name='lifecycle_meeting'] input:value('Internal kick-off')",
        },
        {
            content: "It does not begin now",
            trigger: ".o_field_widget[name='start'] button[data-field='start']",
            run: "click",
        },
        {
            content: "It took place some time ago",
            trigger: ".o_field_widget[name='start'] input[data-field='start']",
            run: "edit 01/12/2026 10:00:00 && press Enter",
        },
        {
            content: "Mark it as held",
            trigger: ".o_field_widget[name='held'] input",
            run: "click",
        },
        {
            content: "Save the call",
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "Go back to the project",
            trigger:
                ".breadcrumb-item:contains('Almazara -') a, a:contains('Almazara -')",
            run: "click",
        },
        {
            content: "The gate is open",
            trigger: `${gate} .o_lifecycle_gate_count:contains('3 / 3')`,
        },
        {
            content: "Move on",
            trigger: `${gate} button.btn-primary:contains('Move to Kick-off')`,
            run: "click",
        },
        {
            content: "The next gate is there",
            trigger: `${gate} button:contains('Move to Implementation')`,
        },
    ],
});

registry.category("web_tour.tours").add("project_lifecycle_kanban_gate", {
    steps: () => [
        {
            content: "All stages are there, the empty ones too",
            trigger: ".o_kanban_group:contains('Support')",
        },
        {
            content: "Drag the card to the Kick-off",
            trigger: `.o_kanban_group:contains('Internal kick-off') ${card}`,
            run: "drag_and_drop(.o_kanban_group:nth-child(2) .o_kanban_header)",
        },
        {
            content: "The gate says what is missing",
            trigger: ".modal .modal-body:contains('The internal kick-off was held')",
        },
        {
            content: "Close the dialog",
            trigger: ".modal .modal-footer button",
            run: "click",
        },
        {
            content: "The card went back: open it",
            trigger: `.o_kanban_group:contains('Internal kick-off') ${card}`,
            run: "click",
        },
        {
            content: "Override the gate",
            trigger: `${gate} button:contains('Override')`,
            run: "click",
        },
        {
            content: "Give the reason",
            trigger: ".modal .o_field_widget[name='reason'] textarea",
            run: "edit The director confirmed",
        },
        {
            content: "Confirm it",
            trigger: ".modal button[name='action_override']",
            run: "click",
        },
        {
            content: "The project is in the Kick-off",
            trigger: `${gate} button:contains('Move to Implementation')`,
        },
    ],
});

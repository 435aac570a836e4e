import {registry} from "@web/core/registry";

registry.category("web_tour.tours").add("project_lifecycle_flow", {
    steps: () => [
        {
            content: "The flow is in its analysis, in its first cycle",
            trigger: ".o_statusbar_status .o_arrow_button_current:contains('Analysis')",
        },
        {
            content: "The proof of concept was recorded: start the realisation",
            trigger:
                "button[name='action_next_step']:contains('Start the Realisation')",
            run: "click",
        },
        {
            content: "The SPOC was trained: present the flow for validation",
            trigger:
                "button[name='action_next_step']:contains('Present for Validation')",
            run: "click",
        },
        {
            content: "The next step is the answer of the SPOC",
            trigger: ".alert:contains('answer of the SPOC')",
        },
        {
            content: "The SPOC sends it back",
            trigger: "button[name='action_reject']",
            run: "click",
        },
        {
            content: "With feedback",
            trigger: ".modal .o_field_widget[name='feedback'] textarea",
            run: "edit The discount is missing",
        },
        {
            content: "And where it was said",
            trigger: ".modal .o_field_widget[name='evidence'] textarea",
            run: "edit Call of today",
        },
        {
            content: "Record it",
            trigger: ".modal button[name='action_confirm']:contains('Next Cycle')",
            run: "click",
        },
        {
            content: "The next cycle starts at the analysis",
            trigger:
                "body:not(:has(.modal)) .o_arrow_button_current:contains('Analysis')",
        },
        {
            content: "Look at the cycles",
            trigger: ".o_notebook .nav-link[name='cycles']",
            run: "click",
        },
        {
            content: "The former one is kept with its feedback",
            trigger:
                ".o_field_widget[name='cycle_ids'] tr:contains('The discount is missing') .badge:contains('Sent Back')",
        },
        {
            content: "The new one is the second",
            trigger: ".o_field_widget[name='cycle_count']:contains('2')",
        },
    ],
});

registry.category("web_tour.tours").add("project_lifecycle_flow_kanban", {
    steps: () => [
        {
            content: "All steps are there",
            trigger: ".o_kanban_group:contains('End-user Training')",
        },
        {
            content: "The card shows its cycle",
            trigger:
                ".o_kanban_group:contains('Analysis') .o_kanban_record .o_project_flow_cycle:contains('Cycle 1')",
        },
        {
            content: "Drag it over a step",
            trigger: ".o_kanban_group:contains('Analysis') .o_kanban_record",
            run: "drag_and_drop(.o_kanban_group:nth-child(3) .o_kanban_header)",
        },
        {
            content: "No step can be skipped",
            trigger: ".modal .modal-body:contains('no step can be skipped')",
        },
        {
            content: "Close the dialog",
            trigger: ".modal .modal-footer button",
            run: "click",
        },
        {
            content: "Drag it to the next step",
            trigger: ".o_kanban_group:contains('Analysis') .o_kanban_record",
            run: "drag_and_drop(.o_kanban_group:nth-child(2) .o_kanban_header)",
        },
        {
            content: "There it is",
            trigger: ".o_kanban_group:contains('Realisation') .o_kanban_record",
        },
    ],
});

registry.category("web_tour.tours").add("project_lifecycle_phase", {
    steps: () => [
        {
            content: "Open the phases of the project",
            trigger: ".o_notebook .nav-link[name='phases']",
            run: "click",
        },
        {
            content: "The timeline shows them all: open the first one",
            trigger: ".o_phase_timeline .o_phase_timeline_name:contains('Sales')",
            run: "click",
        },
        {
            content: "Plan it from its scope",
            trigger: "button[name='action_plan']",
            run: "click",
        },
        {
            content: "Its flows are proposed",
            trigger: ".modal .o_field_widget[name='line_ids'] .o_data_row",
        },
        {
            content: "Take them",
            trigger: ".modal footer button[name='action_plan']",
            run: "click",
        },
        {
            content: "They are in their analysis",
            trigger: ".o_kanban_group:contains('Analysis') .o_kanban_record",
        },
        {
            content: "Back to the phase",
            trigger:
                ".o_breadcrumb a:contains('Sales'), .breadcrumb-item a:contains('Sales')",
            run: "click",
        },
        {
            content: "Start it",
            trigger: "button[name='action_start']",
            run: "click",
        },
        {
            content: "It is in progress",
            trigger: ".o_arrow_button_current:contains('In Progress')",
        },
        {
            content: "It is far from ready",
            trigger: "button[name='action_set_ready']",
            run: "click",
        },
        {
            content: "And the reason is said",
            trigger: ".modal .modal-body:contains('Not validated and trained yet')",
        },
        {
            content: "Close the dialog",
            trigger: ".modal .modal-footer button",
            run: "click",
        },
    ],
});

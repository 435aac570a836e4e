import {registry} from "@web/core/registry";

const row =
    ".o_field_widget[name='item_ids'] .o_data_row:contains('How does the company')";

registry.category("web_tour.tours").add("project_lifecycle_hand_over", {
    steps: () => [
        {
            content: "Open the hand-over",
            trigger: ".o_data_row:contains('Almazara ERP') td[name='name']",
            run: "click",
        },
        {
            content: "Tell how to talk to the SPOC",
            trigger: ".o_field_widget[name='spoc_communication'] textarea",
            run: "edit Calls before noon",
        },
        {
            content: "Answer the first point",
            trigger: `${row} td[name='state']`,
            run: "click",
        },
        {
            content: "Open the states",
            trigger: ".o_selected_row .o_field_widget[name='state'] input",
            run: "click",
        },
        {
            content: "It was told",
            trigger: ".o_select_menu_item:contains('Agreed')",
            run: "click",
        },
        {
            content: "Save",
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "It is saved",
            trigger: ".o_form_saved, .o_form_status_indicator_buttons.invisible",
        },
    ],
});

import {registry} from "@web/core/registry";

registry.category("web_tour.tours").add("project_lifecycle_conclude_kickoff", {
    steps: () => [
        {
            content: "Conclude the kick-off",
            trigger: ".o_statusbar_buttons button[name='action_conclude_kickoff']",
            run: "click",
        },
        {
            content: "All points are agreed: a go is proposed",
            trigger: ".modal .o_field_widget[name='conclusion'] input:checked",
        },
        {
            content: "State that the project is feasible",
            trigger: ".modal .o_field_widget[name='feasibility_statement'] textarea",
            run: "edit Feasible in 80 hours",
        },
        {
            content: "Send the agreement",
            trigger: ".modal footer button:contains('Conclude and Send')",
            run: "click",
        },
        {
            content: "Look at the agreement",
            trigger: "body:not(:has(.modal)) a[name='agreement']",
            run: "click",
        },
        {
            content: "It was sent",
            trigger:
                ".o_field_widget[name='kickoff_agreement_ids'] td:contains('Sent')",
        },
    ],
});

registry.category("web_tour.tours").add("project_lifecycle_sign_agreement", {
    steps: () => [
        {
            content: "Read the scope with its reasons",
            trigger:
                "section[name='scope']:contains('Orders are kept in spreadsheets')",
        },
        {
            content: "The name is there, and the signature made of it",
            trigger:
                "#accept .o_portal_sign_submit:not([disabled]):contains('Accept & Sign')",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "The agreement is accepted",
            trigger: ".alert-success:contains('You have accepted the agreement')",
        },
    ],
});

import {
    contains,
    defineModels,
    fields,
    mockService,
    models,
    mountView,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import {expect, test} from "@odoo/hoot";
import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {user} from "@web/core/user";

class Stage extends models.Model {
    _name = "project.project.stage";

    name = fields.Char();

    _records = [
        {id: 1, name: "Kick-off"},
        {id: 2, name: "Support"},
    ];
}

class Criterion extends models.Model {
    _name = "project.stage.criterion";

    name = fields.Char();
    hint = fields.Char();
    severity = fields.Selection({
        selection: [
            ["blocking", "Blocking"],
            ["warning", "Warning"],
        ],
    });
    responsible = fields.Selection({
        selection: [
            ["consultant", "Consultant"],
            ["salesperson", "Salesperson"],
        ],
    });
    stage_id = fields.Many2one({relation: "project.project.stage"});
    action_id = fields.Many2one({relation: "ir.actions"});
    condition_field = fields.Char();

    _records = [
        {
            id: 1,
            name: "The SPOC is known",
            hint: "Ask the client",
            severity: "blocking",
            responsible: "salesperson",
            stage_id: 1,
            condition_field: "name",
        },
        {
            id: 2,
            name: "The meeting was held",
            hint: "Hold it",
            severity: "blocking",
            responsible: "consultant",
            stage_id: 1,
            action_id: 55,
        },
        {
            id: 3,
            name: "The hours suffice",
            hint: "Renew the pack",
            severity: "warning",
            responsible: "consultant",
            stage_id: 1,
        },
    ];
}

class Actions extends models.Model {
    _name = "ir.actions";

    name = fields.Char();

    _records = [{id: 55, name: "Meetings"}];
}

class Project extends models.Model {
    _name = "project.project";

    name = fields.Char();
    next_stage_ids = fields.Many2many({relation: "project.project.stage"});
    gate_ids = fields.Many2many({relation: "project.stage.criterion"});
    unmet_criterion_ids = fields.Many2many({relation: "project.stage.criterion"});
    gate_obstacles = fields.Json();

    _records = [
        {
            id: 1,
            name: "Almazara ERP",
            next_stage_ids: [1, 2],
            gate_ids: [1, 2, 3],
            unmet_criterion_ids: [2, 3],
            gate_obstacles: {},
        },
        {
            id: 2,
            name: "Harbour ERP",
            next_stage_ids: [1],
            gate_ids: [1, 2],
            unmet_criterion_ids: [1, 2],
            gate_obstacles: {2: "This criterion cannot be checked"},
        },
    ];
    _views = {
        form: `
            <form>
                <field name="name" />
                <field name="next_stage_ids" widget="many2many_tags" />
                <field name="gate_ids" widget="lifecycle_gate" readonly="1">
                    <list>
                        <field name="name" />
                        <field name="hint" />
                        <field name="severity" />
                        <field name="responsible" />
                        <field name="stage_id" />
                        <field name="action_id" />
                        <field name="condition_field" />
                    </list>
                </field>
            </form>`,
    };
}

defineMailModels();
defineModels([Actions, Criterion, Project, Stage]);

const KICKOFF = ".o_lifecycle_gate_stage:first ";
const SUPPORT = ".o_lifecycle_gate_stage:last ";

const mountProject = (resId, {isManager = false} = {}) => {
    patchWithCleanup(user, {hasGroup: async () => isManager});
    return mountView({type: "form", resModel: "project.project", resId});
};

test("shows the gate to each next stage with what is met and what is not", async () => {
    await mountProject(1);
    expect(".o_lifecycle_gate_stage").toHaveCount(2);
    // A warning shuts no gate
    expect(`${KICKOFF}.o_lifecycle_gate_count`).toHaveText("1 / 2");
    expect(`${KICKOFF}.progress-bar`).toHaveStyle({width: "50%"}, {inline: true});
    expect(`${KICKOFF}.fa-lock`).toHaveCount(1);
    expect(`${KICKOFF}.fa-check-circle`).toHaveCount(1);
    expect(`${KICKOFF}.fa-times-circle`).toHaveAttribute("title", "Not met");
    expect(`${KICKOFF}.fa-exclamation-triangle`).toHaveAttribute("title", "Warning");
    expect(`${KICKOFF}li:eq(0)`).not.toHaveText(/Ask the client/);
    expect(`${KICKOFF}li:eq(1)`).toHaveText(/Hold it/);
    expect(`${KICKOFF}li:eq(1) .badge`).toHaveText("Consultant");
    expect(`${SUPPORT}.fa-unlock-alt`).toHaveCount(1);
    expect(`${SUPPORT}li`).toHaveText("Nothing is asked to enter this stage.");
});

test("offers the override to nobody but managers", async () => {
    await mountProject(1);
    expect(".o_lifecycle_gate footer .btn-link").toHaveCount(0);
});

test("offers managers the override of shut gates only", async () => {
    mockService("action", {
        doAction(action, {additionalContext}) {
            expect.step(action);
            expect(additionalContext).toEqual({active_id: 1, default_stage_id: 1});
        },
    });
    await mountProject(1, {isManager: true});
    expect(`${SUPPORT}footer .btn-link`).toHaveCount(0);
    await contains(`${KICKOFF}footer .btn-link`).click();
    expect.verifySteps(["project_lifecycle.project_stage_override_wizard_action"]);
});

test("leads to the place where a criterion is met", async () => {
    mockService("action", {
        doAction(action, {additionalContext}) {
            expect.step(`${action} of ${additionalContext.active_id}`);
        },
    });
    await mountProject(1);
    await contains(`${KICKOFF}li:eq(1) button`).click();
    expect.verifySteps(["55 of 1"]);
});

test("leads to the field, and says what is wrong with a broken criterion", async () => {
    await mountProject(2);
    expect("li:eq(1) .small.text-danger").toHaveText(
        "This criterion cannot be checked"
    );
    expect("li:eq(1) button").toHaveCount(0);
    await contains(".o_lifecycle_gate li:eq(0) button").click();
    expect(".o_field_widget[name=name] input").toBeFocused();
});

test("saves what was typed before it asks for the move", async () => {
    onRpc("project.project", "web_save", () => {
        expect.step("save");
    });
    onRpc("project.project", "action_move_to_stage", ({args}) => {
        expect.step(`move ${JSON.stringify(args)}`);
        return true;
    });
    await mountProject(1);
    await contains(".o_field_widget[name=name] input").edit("Renamed", {
        confirm: false,
    });
    await contains(`${KICKOFF}footer .btn:first`).click();
    expect.verifySteps(["save", "move [[1],1]"]);
});

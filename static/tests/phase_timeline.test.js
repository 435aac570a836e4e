import {
    contains,
    defineModels,
    fields,
    mockService,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";
import {expect, test} from "@odoo/hoot";
import {defineMailModels} from "@mail/../tests/mail_test_helpers";

const MVP = {
    id: 7,
    name: "Sales",
    wave: "mvp",
    wave_label: "MVP",
    state: "live",
    state_label: "Live",
    is_late: false,
    planned: {left: 0, width: 40, label: "01/07 to 03/04"},
    real: {left: 5, width: 30, label: "01/14 to 03/01"},
    go_live: {left: 35, is_real: true, label: "03/01"},
};
const IMPROVEMENT = {
    id: 8,
    name: "Automation",
    wave: "improvement",
    wave_label: "Improvements",
    state: "planned",
    state_label: "Planned",
    is_late: true,
    planned: {left: 50, width: 40, label: "04/01 to 06/03"},
    real: null,
    go_live: {left: 90, is_real: false, label: "06/03"},
};

class Project extends models.Model {
    _name = "project.project";

    name = fields.Char();
    timeline = fields.Json();

    _records = [
        {
            id: 1,
            name: "Almazara ERP",
            timeline: {
                phases: [MVP, IMPROVEMENT],
                undated: [{id: 9, name: "Warehouse"}],
                ticks: [
                    {left: 0, label: "January"},
                    {left: 50, label: "April"},
                ],
                today: 60,
            },
        },
        {id: 2, name: "Without phases", timeline: false},
        {
            id: 3,
            name: "All in the future",
            timeline: {phases: [MVP], undated: [], ticks: [], today: null},
        },
    ];
    _views = {
        form: `
            <form>
                <field name="name" />
                <field name="timeline" widget="phase_timeline" />
            </form>`,
    };
}

defineMailModels();
defineModels([Project]);

const mountProject = (resId) =>
    mountView({type: "form", resModel: "project.project", resId});

test("draws each phase, planned and real, with its go-live and today", async () => {
    await mountProject(1);
    expect(".o_phase_timeline_row").toHaveCount(2);
    const [mvp, improvement] = document.querySelectorAll(".o_phase_timeline_row");
    expect(mvp.querySelector(".o_phase_timeline_planned").style.width).toBe("40%");
    expect(mvp.querySelector(".o_phase_timeline_real").style.left).toBe("5%");
    expect(mvp.querySelector(".o_phase_timeline_real")).toHaveClass(
        "o_phase_timeline_live"
    );
    expect(mvp.querySelector(".fa-flag-checkered")).toHaveCount(1);
    expect(improvement.querySelector(".o_phase_timeline_real")).toBe(null);
    expect(improvement.querySelector(".fa-flag-o")).toHaveCount(1);
    expect(improvement.querySelector(".o_phase_timeline_go_live")).toHaveClass(
        "text-danger"
    );
    expect(".o_phase_timeline_today").toHaveCount(2);
    expect(".o_phase_timeline_legend").toHaveText(/Without dates: Warehouse/);
});

test("says in words what the picture shows", async () => {
    await mountProject(1);
    expect(".o_phase_timeline_row:first button").toHaveAttribute(
        "aria-label",
        "Sales, MVP, Live, planned 01/07 to 03/04, really 01/14 to 03/01, go-live 03/01"
    );
    expect(".o_phase_timeline_row:last button").toHaveAttribute(
        "aria-label",
        /, late$/
    );
    expect(".o_phase_timeline_row:last .o_phase_timeline_state").toHaveText(
        "Late · Planned"
    );
});

test("shows no line of today outside of its time, and nothing without phases", async () => {
    await mountProject(3);
    expect(".o_phase_timeline").toHaveCount(1);
    expect(".o_phase_timeline_today").toHaveCount(0);
    await mountProject(2);
    expect(".o_field_phase_timeline:last .o_phase_timeline").toHaveCount(0);
});

test("opens a phase once what was typed is saved", async () => {
    mockService("action", {
        doAction(action) {
            expect.step(`${action.res_model} ${action.res_id}`);
        },
    });
    onRpc("project.project", "web_save", ({args}) => {
        expect.step(`save ${args[1].name}`);
    });
    await mountProject(1);
    await contains(".o_field_widget[name=name] input").edit("Renamed", {
        confirm: false,
    });
    await contains(".o_phase_timeline_row:last button").click();
    expect.verifySteps(["save Renamed", "project.phase 8"]);
});

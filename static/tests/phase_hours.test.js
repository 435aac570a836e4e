import {defineModels, fields, models, mountView} from "@web/../tests/web_test_helpers";
import {expect, test} from "@odoo/hoot";
import {defineMailModels} from "@mail/../tests/mail_test_helpers";

class Phase extends models.Model {
    _name = "project.phase";

    planned_hours = fields.Float();
    spent_hours = fields.Float();
    hours = fields.Json();

    _records = [
        {
            id: 1,
            planned_hours: 40,
            spent_hours: 30,
            hours: [
                {id: 1, name: "Analysis", color: 1, hours: 20},
                {id: 2, name: "Training", color: 4, hours: 10},
            ],
        },
        {
            id: 2,
            planned_hours: 8,
            spent_hours: 10,
            hours: [
                {id: 1, name: "Analysis", color: 1, hours: 12},
                {id: 2, name: "Training", color: 4, hours: -2},
            ],
        },
        {id: 3, planned_hours: 0, spent_hours: 0, hours: false},
    ];
    _views = {
        form: `<form><field name="hours" widget="phase_hours" /></form>`,
    };
}

defineMailModels();
defineModels([Phase]);

const mountPhase = (resId) =>
    mountView({type: "form", resModel: "project.phase", resId});

const getWidths = () =>
    [...document.querySelectorAll(".o_phase_hours .progress-bar")].map(
        (part) => part.style.width
    );

test("shows the hours of each work type as parts of the plan", async () => {
    await mountPhase(1);
    expect(".o_phase_hours .fw-bold").toHaveText("30:00 of 40:00 planned hours spent");
    expect(".o_phase_hours .fw-bold").not.toHaveClass("text-danger");
    expect(getWidths()).toEqual(["50%", "25%"]);
    expect(".o_phase_hours li:first").toHaveText("Analysis20:00");
    expect(".o_phase_hours .progress-bar:last").toHaveAttribute(
        "title",
        "Training: 10:00"
    );
});

test("warns of more hours than planned, and never draws less than nothing", async () => {
    await mountPhase(2);
    expect(".o_phase_hours .fw-bold").toHaveText("10:00 of 08:00 planned hours spent");
    expect(".o_phase_hours .fw-bold").toHaveClass("text-danger");
    expect(getWidths()[1]).toBe("0%");
});

test("does without plan and without hours", async () => {
    await mountPhase(3);
    expect(".o_phase_hours .fw-bold").toHaveText("00:00 hours spent");
    expect(".o_phase_hours .fw-bold").not.toHaveClass("text-danger");
    expect(".o_phase_hours .progress-bar").toHaveCount(0);
});

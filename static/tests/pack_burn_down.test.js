import {
    defineModels,
    fields,
    models,
    mountView,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import {expect, test} from "@odoo/hoot";
import {PackBurnDownField} from "@project_lifecycle/pack/pack_burn_down.esm";
import {defineMailModels} from "@mail/../tests/mail_test_helpers";

const draw = (values, forecast) =>
    JSON.stringify([{key: "Hours left", values, forecast, forecast_key: "Forecast"}]);

class Pack extends models.Model {
    _name = "project.consultancy.pack";

    burn_down = fields.Text();

    _records = [
        {
            id: 1,
            burn_down: draw(
                [{x: "Start", y: 40}, {x: "03/02", y: 32.5}, {x: "04/20"}],
                [null, 32.5, 0]
            ),
        },
        {id: 2, burn_down: draw([{x: "Start", y: 40}], [])},
    ];
    _views = {
        form: `<form><field name="burn_down" widget="pack_burn_down" /></form>`,
    };
}

defineMailModels();
defineModels([Pack]);

const mountPack = async (resId) => {
    let config = null;
    patchWithCleanup(PackBurnDownField.prototype, {
        getLineChartConfig() {
            config = super.getLineChartConfig();
            return config;
        },
    });
    await mountView({type: "form", resModel: "project.consultancy.pack", resId});
    return config;
};

test("draws the hours left and, dashed, the forecast", async () => {
    const {data, options} = await mountPack(1);
    expect(".o_pack_burn_down canvas").toHaveCount(1);
    expect(data.labels).toEqual(["Start", "03/02", "04/20"]);
    expect(data.datasets.map((line) => line.label)).toEqual(["Hours left", "Forecast"]);
    expect(data.datasets[0].data).toEqual([40, 32.5, null]);
    expect(data.datasets[1].data).toEqual([null, 32.5, 0]);
    expect(data.datasets[1].borderDash).toEqual([6, 4]);
    expect(options.plugins.legend.display).toBe(true);
    expect(options.scales.y.display).toBe(true);
});

test("draws no forecast and no legend where nothing is used", async () => {
    const {data, options} = await mountPack(2);
    expect(data.datasets).toHaveLength(1);
    expect(options.plugins.legend.display).toBe(false);
});

test("says the figures to those who cannot see the picture", async () => {
    await mountPack(1);
    expect(".o_pack_burn_down").toHaveAttribute("role", "img");
    expect(".o_pack_burn_down").toHaveAttribute(
        "aria-label",
        "Hours left: Start: 40; 03/02: 32.5"
    );
});

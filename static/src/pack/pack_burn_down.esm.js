import {
    JournalDashboardGraphField,
    journalDashboardGraphField,
} from "@web/views/fields/journal_dashboard_graph/journal_dashboard_graph_field";
import {getColor} from "@web/core/colors/colors";
import {cookie} from "@web/core/browser/cookie";
import {registry} from "@web/core/registry";

/** The hours left in a consultancy pack, week by week, with axes and forecast. */
export class PackBurnDownField extends JournalDashboardGraphField {
    static template = "project_lifecycle.PackBurnDownField";
    static props = {
        ...JournalDashboardGraphField.props,
        graphType: {type: String, optional: true},
    };
    static defaultProps = {graphType: "line"};

    /** What the picture says, for those who cannot see it. */
    get summary() {
        const {key, values} = this.data[0];
        const points = values
            .filter((point) => point.y !== undefined)
            .map((point) => `${point.x}: ${point.y}`);
        return `${key}: ${points.join("; ")}`;
    }

    getLineChartConfig() {
        const config = super.getLineChartConfig();
        const [{values, forecast, forecast_key}] = this.data;
        const color = getColor(1, cookie.get("color_scheme"), "odoo");
        config.data.datasets[0].data = values.map((point) => point.y ?? null);
        if (forecast.length) {
            config.data.datasets.push({
                borderColor: color,
                borderDash: [6, 4],
                borderWidth: 2,
                data: forecast,
                label: forecast_key,
                pointRadius: 0,
                spanGaps: true,
            });
        }
        config.options.plugins.legend = {display: Boolean(forecast.length)};
        config.options.scales = {
            x: {display: true, grid: {display: false}},
            y: {display: true, suggestedMin: 0},
        };
        return config;
    }
}

registry.category("fields").add("pack_burn_down", {
    ...journalDashboardGraphField,
    component: PackBurnDownField,
    extractProps: () => ({}),
});

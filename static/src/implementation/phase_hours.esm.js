import {Component} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {formatFloatTime} from "@web/views/fields/formatters";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

/** What the hours of a phase were spent on, against the hours planned. */
export class PhaseHoursField extends Component {
    static template = "project_lifecycle.PhaseHoursField";
    static props = {...standardFieldProps};

    get planned() {
        return this.props.record.data.planned_hours;
    }

    get spent() {
        return this.props.record.data.spent_hours;
    }

    get isOver() {
        return this.planned > 0 && this.spent > this.planned;
    }

    /** One part of the bar for each work type; the whole bar is the larger figure. */
    get parts() {
        const whole = Math.max(this.planned, this.spent);
        return (this.props.record.data[this.props.name] || []).map((part) => ({
            ...part,
            percentage: whole ? Math.max((100 * part.hours) / whole, 0) : 0,
            text: this.format(part.hours),
        }));
    }

    get summary() {
        return this.planned
            ? _t("%(spent)s of %(planned)s planned hours spent", {
                  spent: this.format(this.spent),
                  planned: this.format(this.planned),
              })
            : _t("%s hours spent", this.format(this.spent));
    }

    format(hours) {
        return formatFloatTime(hours);
    }
}

export const phaseHoursField = {
    component: PhaseHoursField,
    displayName: _t("Hours by work type"),
    supportedTypes: ["json"],
    fieldDependencies: [
        {name: "planned_hours", type: "float"},
        {name: "spent_hours", type: "float"},
    ],
};

registry.category("fields").add("phase_hours", phaseHoursField);

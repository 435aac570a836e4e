import {Component} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";
import {useService} from "@web/core/utils/hooks";

/** All phases of a project on one time scale: planned, real, go-live and today. */
export class PhaseTimelineField extends Component {
    static template = "project_lifecycle.PhaseTimelineField";
    static props = {...standardFieldProps};

    setup() {
        this.action = useService("action");
    }

    get timeline() {
        return this.props.record.data[this.props.name];
    }

    /** What the picture shows of a phase, in words. */
    describe(phase) {
        const parts = [phase.name, phase.wave_label, phase.state_label];
        if (phase.planned) {
            parts.push(_t("planned %s", phase.planned.label));
        }
        if (phase.real) {
            parts.push(_t("really %s", phase.real.label));
        }
        if (phase.go_live) {
            parts.push(_t("go-live %s", phase.go_live.label));
        }
        if (phase.is_late) {
            parts.push(_t("late"));
        }
        return parts.join(", ");
    }

    async open(phase) {
        if (this.props.record.isInEdition && !(await this.props.record.save())) {
            return;
        }
        await this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "project.phase",
            res_id: phase.id,
            views: [[false, "form"]],
        });
    }
}

export const phaseTimelineField = {
    component: PhaseTimelineField,
    displayName: _t("Timeline of phases"),
    supportedTypes: ["json"],
};

registry.category("fields").add("phase_timeline", phaseTimelineField);

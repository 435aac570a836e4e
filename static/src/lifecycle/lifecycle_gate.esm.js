import {Component, onWillStart} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";
import {useService} from "@web/core/utils/hooks";
import {user} from "@web/core/user";

/**
 * The gates between a client project and its next stages: each criterion, met or not,
 * whose job it is and what to do, with a way to the place where it can be met.
 */
export class LifecycleGateField extends Component {
    static template = "project_lifecycle.LifecycleGateField";
    static props = {...standardFieldProps};

    setup() {
        this.action = useService("action");
        this.notification = useService("notification");
        this.orm = useService("orm");
        onWillStart(async () => {
            this.canOverride = await user.hasGroup("project.group_project_manager");
        });
    }

    /** The next stages, each with its criteria and how many of them are met. */
    get gates() {
        const criteria = this.props.record.data[this.props.name].records;
        return this.props.record.data.next_stage_ids.records.map((stage) => {
            const stageCriteria = criteria
                .filter((criterion) => criterion.data.stage_id.id === stage.resId)
                .map((criterion) => this.describe(criterion));
            const blocking = stageCriteria.filter((criterion) => criterion.isBlocking);
            const met = blocking.filter((criterion) => criterion.isMet).length;
            return {
                id: stage.resId,
                name: stage.data.display_name,
                criteria: stageCriteria,
                count: blocking.length,
                met,
                isOpen: met === blocking.length,
                percentage: blocking.length ? (100 * met) / blocking.length : 100,
            };
        });
    }

    describe(criterion) {
        const data = criterion.data;
        const {unmet_criterion_ids: unmet, gate_obstacles: obstacles} =
            this.props.record.data;
        const isMet = !unmet.currentIds.includes(criterion.resId);
        const obstacle = obstacles[criterion.resId];
        const responsibles = Object.fromEntries(criterion.fields.responsible.selection);
        const isBlocking = data.severity === "blocking";
        const openIcon = isBlocking
            ? "fa-times-circle text-danger"
            : "fa-exclamation-triangle text-warning";
        const openStatus = isBlocking ? _t("Not met") : _t("Warning");
        return {
            id: criterion.resId,
            name: data.name,
            hint: obstacle || data.hint,
            isBroken: Boolean(obstacle),
            isBlocking,
            isMet,
            icon: isMet ? "fa-check-circle text-success" : openIcon,
            status: isMet ? _t("Met") : openStatus,
            responsible: responsibles[data.responsible],
            actionId: data.action_id && data.action_id.id,
            field: data.condition_field,
        };
    }

    /** Lead to where a criterion can be met: a page of its own, or a field of the form. */
    async open(criterion) {
        const {record} = this.props;
        if (criterion.actionId) {
            if (await record.save()) {
                await this.action.doAction(criterion.actionId, {
                    additionalContext: {
                        active_id: record.resId,
                        active_ids: [record.resId],
                        active_model: record.resModel,
                    },
                });
            }
            return;
        }
        const target = document.querySelector(
            `.o_form_view .o_field_widget[name="${criterion.field}"]`
        );
        if (!target) {
            this.notification.add(criterion.hint || criterion.name, {type: "info"});
            return;
        }
        target.scrollIntoView({behavior: "smooth", block: "center"});
        (target.querySelector("input, textarea, select, button") || target).focus();
    }

    async move(gate) {
        const {record} = this.props;
        if (!(await record.save())) {
            return;
        }
        await this.orm.call(record.resModel, "action_move_to_stage", [
            [record.resId],
            gate.id,
        ]);
        await record.load();
    }

    async override(gate) {
        const {record} = this.props;
        if (!(await record.save())) {
            return;
        }
        await this.action.doAction(
            "project_lifecycle.project_stage_override_wizard_action",
            {
                additionalContext: {
                    active_id: record.resId,
                    default_stage_id: gate.id,
                },
                onClose: () => record.load(),
            }
        );
    }
}

export const lifecycleGateField = {
    component: LifecycleGateField,
    displayName: _t("Lifecycle gate"),
    supportedTypes: ["many2many"],
    useSubView: true,
    fieldDependencies: [
        {name: "unmet_criterion_ids", type: "many2many"},
        {name: "gate_obstacles", type: "json"},
    ],
    isEmpty: () => false,
};

registry.category("fields").add("lifecycle_gate", lifecycleGateField);

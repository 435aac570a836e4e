"""Measure client projects against stock Odoo's projects, in one run.

``make bench`` runs this in Odoo's shell on a database with the addon, and names a
second database without it. Both are filled with the same data; each measure alternates
between them, so that whatever else the machine does hits both. Prints the median times
and the ratios, and writes them as JSON.
"""

import json
import os
import statistics
import sys
import time

from lxml import etree

from odoo import SUPERUSER_ID, api
from odoo.fields import Command
from odoo.modules.registry import Registry

PROJECTS = 2000
CARDS = 80
ROUNDS = 25
STAGES = ["internal_kickoff", "kickoff", "implementation", "go_live", "support", "done"]
TARGET = 1.5
TIME_LINES = 1000
TIME_TARGET = 1.15
PACKS = 5000
HISTORIES = (10_000, 1_000_000)


class Side:
    """One of the two databases, with the same data in it."""

    def __init__(self, database):
        self.registry = Registry(database)
        self.cr = self.registry.cursor()
        self.root = api.Environment(self.cr, SUPERUSER_ID, {})
        self.has_addon = "project.stage.transition" in self.root
        self.fill()
        self.env = self.root(user=self.manager.id, su=False)

    def fill(self):
        env = self.root(
            context={
                "tracking_disable": True,
                "no_mail_to_attendees": True,
                # the addon plans activities where stock Odoo does not: same data
                "mail_activity_automation_skip": True,
            }
        )
        stages_group = env.ref("project.group_project_stages")
        env.ref("base.group_user").implied_ids = [Command.link(stages_group.id)]
        self.manager = env["res.users"].create(
            {
                "name": "Manager",
                "login": "bench_manager",
                "group_ids": [
                    Command.set(
                        [
                            env.ref("base.group_user").id,
                            env.ref("project.group_project_manager").id,
                            env.ref("sales_team.group_sale_manager").id,
                        ]
                    )
                ],
            }
        )
        if self.has_addon:
            stages = [env.ref(f"project_lifecycle.stage_{name}") for name in STAGES]
            criteria = env["project.stage.criterion"].search([])
            criteria.active = False  # the data is made at once, not gate by gate
        else:
            stages = env["project.project.stage"].create(
                [
                    {"name": name, "sequence": 100 + number}
                    for number, name in enumerate(STAGES)
                ]
            )
        clients = env["res.partner"].create(
            [
                {"name": f"Client {number}", "is_company": True}
                for number in range(PROJECTS // 10)
            ]
        )
        contacts = env["res.partner"].create(
            [{"name": f"SPOC of {c.name}", "parent_id": c.id} for c in clients]
        )
        self.projects = env["project.project"].create(
            [
                {
                    "name": f"Project {number}",
                    "partner_id": clients[number % len(clients)].id,
                    "user_id": self.manager.id,
                    "stage_id": stages[number % len(stages)].id,
                    "allow_billable": True,
                }
                | (
                    {
                        "is_lifecycle": True,
                        "spoc_id": contacts[number % len(clients)].id,
                    }
                    if self.has_addon
                    else {}
                )
                for number in range(PROJECTS)
            ]
        )
        env["project.task"].create(
            [
                {"name": f"Task {number}", "project_id": project.id}
                for project in self.projects
                for number in range(3)
            ]
        )
        env["calendar.event"].create(
            [
                {
                    "name": "Meeting",
                    "start": "2026-01-05 09:00:00",
                    "stop": "2026-01-05 10:00:00",
                }
                | (
                    {"project_id": project.id, "lifecycle_meeting": kind, "held": True}
                    if self.has_addon
                    else {}
                )
                for project in self.projects
                for kind in ("internal_kickoff", "kickoff")
            ]
        )
        if self.has_addon:
            # the hand-over is complete: these are the projects that move on
            self.projects.write(
                {"spoc_it_affinity": "medium", "spoc_communication": "By phone"}
            )
            env["project.checklist.item"].search(
                [("checklist_id.kind", "=", "internal_kickoff")]
            ).write({"state": "agreed", "answer": "<p>Talked about</p>"})
            criteria.active = True
        self.stages = stages
        self.fill_time(env)
        env.flush_all()
        self.cr.commit()
        self.cr.execute("ANALYZE")
        self.cr.commit()

    def fill_time(self, env):
        """Sell prepaid hours for a project of each kind, and give it a task."""
        self.manager.group_ids += env.ref("hr_timesheet.group_hr_timesheet_user")
        env["hr.employee"].create({"name": "Manager", "user_id": self.manager.id})
        self.time_project = self.projects[1]
        product = env["product.product"].create(
            {
                "name": "Prepaid hours",
                "type": "service",
                "service_policy": "ordered_prepaid",
                "uom_id": env.ref("uom.product_uom_hour").id,
            }
            | ({"is_consultancy_pack": True} if self.has_addon else {})
        )
        order = env["sale.order"].create(
            {
                "partner_id": self.time_project.partner_id.id,
                "project_id": self.time_project.id,
                "order_line": [
                    Command.create(
                        {"product_id": product.id, "product_uom_qty": 100_000}
                    )
                ],
            }
        )
        order.action_confirm()
        self.time_project.sale_line_id = order.order_line
        self.time_task = self.time_project.tasks[0]
        if self.has_addon:
            env["project.consultancy.pack"].create(
                [
                    {
                        "project_id": self.projects[10 + number % 500].id,
                        "purchased_hours": 40,
                    }
                    for number in range(PACKS)
                ]
            )

    def fill_history(self, project, lines):
        """Give a project of the addon a pack with that many lines, by SQL."""
        pack = self.root["project.consultancy.pack"].create(
            {"project_id": project.id, "purchased_hours": lines / 2}
        )
        self.root.flush_all()
        self.cr.execute(
            """
            INSERT INTO account_analytic_line (
                name, date, amount, unit_amount, project_id, pack_id, company_id,
                product_uom_id, currency_id, account_id, create_date, write_date
            )
            SELECT 'Work', CURRENT_DATE - (n %% 900), 0, 0.5, %s, %s, %s, %s, %s, %s,
                   NOW(), NOW()
              FROM generate_series(1, %s) n
            """,
            [
                project.id,
                pack.id,
                pack.company_id.id,
                self.root.ref("uom.product_uom_hour").id,
                pack.company_id.currency_id.id,
                project.account_id.id,
                lines,
            ],
        )
        self.root.add_to_compute(pack._fields["consumed_hours"], pack)
        self.root.flush_all()
        self.cr.commit()

    # --- what is measured -------------------------------------------------------
    def specification(self, xmlid, view_type):
        """Return what the web client asks for to show a view."""
        view = self.env.ref(xmlid)
        Project = self.env["project.project"]
        arch = Project.get_view(view.id, view_type)["arch"]
        return self.fields_of(etree.fromstring(arch), Project)

    def fields_of(self, node, model):
        fields = {}
        for child in node:
            if child.tag != "field":
                fields |= self.fields_of(child, model)
                continue
            field = model._fields[child.get("name")]
            spec = {}
            if field.type == "many2one":
                spec = {"fields": {"display_name": {}}}
            elif field.type in ("one2many", "many2many"):
                comodel = self.env[field.comodel_name]
                spec = {
                    "fields": self.fields_of(child, comodel) or {"display_name": {}}
                }
            fields.setdefault(field.name, spec)
        return fields

    def kanban(self):
        xmlid = (
            "project_lifecycle.project_project_view_kanban_lifecycle"
            if self.has_addon
            else "project.project_kanban_view_group_stage"
        )
        spec = self.specification(xmlid, "kanban")
        domain = [("is_template", "=", False)]
        if self.has_addon:
            domain.append(("is_lifecycle", "=", True))
        return lambda _round: self.env["project.project"].web_search_read(
            domain, spec, limit=CARDS
        )

    def form(self):
        spec = self.specification("project.edit_project", "form")
        return (
            lambda round_: self.env["project.project"]
            .browse(self.projects[round_].id)
            .web_read(spec)
        )

    def move(self):
        """Drag a card, with the message that Odoo logs about it, up to the commit."""
        waiting = self.projects.filtered(lambda p: p.stage_id == self.stages[0]).ids
        target = self.stages[1].id

        def drag(round_):
            project = self.env["project.project"].browse(waiting[round_])
            project.web_save({"stage_id": target}, {"stage_id": {}})
            self.cr.flush()

        return drag

    def time(self, lines):
        """Log time on a task of a project with prepaid hours, up to the commit."""
        values = {
            "name": "Work",
            "project_id": self.time_project.id,
            "task_id": self.time_task.id,
            "unit_amount": 0.5,
        }

        def log(_round):
            Line = self.env["account.analytic.line"]
            Line.create([dict(values) for _line in range(lines)])
            self.cr.flush()

        return log

    def time_1(self):
        return self.time(1)

    def time_1000(self):
        return self.time(TIME_LINES)

    def balance(self, project):
        fields = ["pack_purchased_hours", "pack_remaining_hours", "uncovered_hours"]
        return lambda _round: (
            self.env["project.project"].browse(project.id).read(fields)
        )

    def measure(self, function, round_):
        """Return the milliseconds and queries of a call with cold record caches."""
        self.cr.rollback()
        self.env.invalidate_all()
        queries = self.cr.sql_log_count
        started = time.perf_counter()
        function(round_)
        elapsed = 1000 * (time.perf_counter() - started)
        queries = self.cr.sql_log_count - queries
        self.cr.rollback()
        return elapsed, queries


def compare(results, name, calls, target, rounds, titles=("stock", "addon")):
    """Alternate between two calls, and note the medians and their ratio."""
    samples = ([], [])
    for round_ in range(rounds + 3):
        for (side, function), sample in zip(calls, samples, strict=True):
            sample.append(side.measure(function, round_))
    # the first rounds warm up the caches of the registries
    times = [statistics.median(t for t, _q in sample[3:]) for sample in samples]
    queries = [sample[-1][1] for sample in samples]
    ratio = times[1] / times[0]
    results[name] = {
        f"{titles[0]}_ms": round(times[0], 2),
        f"{titles[1]}_ms": round(times[1], 2),
        "ratio": round(ratio, 3),
        f"{titles[0]}_queries": queries[0],
        f"{titles[1]}_queries": queries[1],
        "target_ratio": target,
        "met": ratio <= target,
    }
    print(
        f"{name:16}{times[0]:>11.1f} ms{times[1]:>11.1f} ms{ratio:>8.2f}"
        f"{queries[0]:>6} ->{queries[1]:>3}"
        + ("" if ratio <= target else f"   above {target}"),
        flush=True,
    )


def main():
    print(f"Filling two databases with {PROJECTS} projects each …", flush=True)
    stock = Side(os.environ["BENCH_STOCK_DATABASE"])
    ours = Side(os.environ["BENCH_DATABASE"])
    results = {}
    print(f"{'':16}{'stock':>14}{'addon':>14}{'ratio':>8}{'queries':>12}")
    for name, target, rounds in (
        ("kanban", TARGET, ROUNDS),
        ("move", TARGET, ROUNDS),
        ("form", TARGET, ROUNDS),
        ("time_1", TIME_TARGET, 4 * ROUNDS),
        ("time_1000", TIME_TARGET, 9),
    ):
        calls = [(side, getattr(side, name)()) for side in (stock, ours)]
        compare(results, name, calls, target, rounds)

    few, many = ours.projects[-2:]
    print(f"The balance with {HISTORIES[0]:,} and {HISTORIES[1]:,} lines …", flush=True)
    for project, lines in zip((few, many), HISTORIES, strict=True):
        ours.fill_history(project, lines)
    ours.cr.execute("ANALYZE account_analytic_line")
    ours.cr.commit()
    calls = [(ours, ours.balance(project)) for project in (few, many)]
    compare(results, "balance", calls, TARGET, ROUNDS, ("few_lines", "many_lines"))

    with open(os.environ["BENCH_OUTPUT"], "w") as output:
        json.dump(
            {
                "projects": PROJECTS,
                "cards": CARDS,
                "packs": PACKS,
                "time_lines": TIME_LINES,
                "histories": HISTORIES,
                "measures": results,
            },
            output,
        )
    stock.cr.close()
    ours.cr.close()
    sys.stdout.flush()


main()

"""Measure client projects against stock Odoo's projects, in one run.

``make bench`` runs this in Odoo's shell on a database with the addon, and names a
second database without it. Both are filled with the same data; each measure alternates
between them, so that whatever else the machine does hits both. Prints the median times,
the ratios and the queries.
"""

import logging
import multiprocessing
import os
import statistics
import time

from lxml import etree

from odoo import SUPERUSER_ID, api, sql_db
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.service.model import retrying

PROJECTS = 2000
CARDS = 80
ROUNDS = 25
STAGES = ["internal_kickoff", "kickoff", "implementation", "go_live", "support", "done"]
TARGET = 1.5
TIME_TARGET = 1.15
HISTORIES = (10_000, 1_000_000)
#: People who log time on one project at once, for so many seconds
CROWDS = (8, 20)
CROWD_SECONDS = 4
CROWD_ROUNDS = 3

#: The addon plans activities where stock Odoo does not: the same data in both
QUIET = {
    "tracking_disable": True,
    "no_mail_to_attendees": True,
    "mail_activity_automation_skip": True,
}


class Side:
    """One of the two databases, with the same data in it."""

    def __init__(self, database):
        self.cr = Registry(database).cursor()
        self.root = api.Environment(self.cr, SUPERUSER_ID, QUIET)
        self.has_addon = "project.stage.transition" in self.root
        self.fill()
        self.root.flush_all()
        self.cr.commit()
        self.cr.execute("ANALYZE")
        self.cr.commit()
        self.env = self.root(user=self.manager.id, su=False, context={})

    def ours(self, **values):
        """The values that only a client project has."""
        return values if self.has_addon else {}

    def create(self, model, *vals_list):
        return self.root[model].create(list(vals_list))

    def fill(self):
        ref = self.root.ref
        ref("base.group_user").implied_ids += ref("project.group_project_stages")
        groups = ("base.group_user", "project.group_project_manager")
        groups += ("sales_team.group_sale_manager",)
        groups += ("hr_timesheet.group_hr_timesheet_user",)
        ids = [ref(group).id for group in groups]
        values = {"name": "M", "login": "bench", "group_ids": [Command.set(ids)]}
        self.manager = self.create("res.users", values)
        self.create("hr.employee", {"name": "M", "user_id": self.manager.id})
        if self.has_addon:
            self.stages = [ref(f"project_lifecycle.stage_{name}") for name in STAGES]
        else:
            stages = [{"name": name} for name in STAGES]
            self.stages = self.create("project.project.stage", *stages)
        clients = [{"name": f"C{n}", "is_company": True} for n in range(PROJECTS)]
        clients = self.create("res.partner", *clients[::10])
        contacts = [{"name": "SPOC", "parent_id": client.id} for client in clients]
        contacts = self.create("res.partner", *contacts)
        self.projects = self.create(
            "project.project",
            *(
                {
                    "name": f"Project {n}",
                    "partner_id": clients[n % len(clients)].id,
                    "user_id": self.manager.id,
                    "stage_id": self.stages[0].id,
                    "allow_billable": True,
                }
                | self.ours(is_lifecycle=True, spoc_id=contacts[n % len(contacts)].id)
                for n in range(PROJECTS)
            ),
        )
        tasks = [{"name": "Task", "project_id": p.id} for p in self.projects]
        self.create("project.task", *tasks, *tasks, *tasks)
        if self.has_addon:
            # What nobody did for this data must not shut the gate that is measured
            self.projects[:1].unmet_criterion_ids.active = False
        self.root.flush_all()
        for n, stage in enumerate(self.stages):  # as if they had moved on
            self.cr.execute(
                "UPDATE project_project SET stage_id = %s WHERE id = ANY(%s)",
                [stage.id, self.projects[n :: len(self.stages)].ids],
            )
        self.root.invalidate_all()
        if self.has_addon:
            stage = self.projects._fields["lifecycle_stage"]
            self.root.add_to_compute(stage, self.projects)
        self.sell()

    def sell(self):
        """Sell prepaid hours for a project of each kind."""
        self.time_project = self.projects[1]
        product = self.create(
            "product.product",
            {
                "name": "Prepaid hours",
                "type": "service",
                "service_policy": "ordered_prepaid",
                "uom_id": self.root.ref("uom.product_uom_hour").id,
            }
            | self.ours(is_consultancy_pack=True),
        )
        line = {"product_id": product.id, "product_uom_qty": 100_000}
        values = {
            "partner_id": self.time_project.partner_id.id,
            "project_id": self.time_project.id,
            "order_line": [Command.create(line)],
        }
        order = self.create("sale.order", values)
        order.action_confirm()
        self.time_project.sale_line_id = order.order_line
        if self.has_addon:
            packs = [{"project_id": p.id, "purchased_hours": 40} for p in self.projects]
            self.create("project.consultancy.pack", *packs[10:])

    def fill_history(self, project, lines):
        """Give a project of the addon a pack with that many lines, by SQL."""
        values = {"project_id": project.id, "purchased_hours": lines / 2}
        pack = self.create("project.consultancy.pack", values)
        self.root.flush_all()
        self.cr.execute(
            """
            INSERT INTO account_analytic_line (
                name, date, amount, unit_amount, is_deducted, project_id, pack_id,
                company_id, product_uom_id, currency_id, account_id
            )
            SELECT 'Work', CURRENT_DATE - (n %% 900), 0, 0.5, TRUE, p.project_id, p.id,
                   c.id, %s, c.currency_id, %s
              FROM generate_series(1, %s) n, project_consultancy_pack p, res_company c
             WHERE p.id = %s AND c.id = %s
            """,
            [
                self.root.ref("uom.product_uom_hour").id,
                *(project.account_id.id, lines, pack.id, pack.company_id.id),
            ],
        )
        self.cr.execute("ANALYZE account_analytic_line")
        self.cr.commit()

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
            spec = self.fields_of(child, self.env[field.comodel_name or "base"])
            if field.relational:
                spec = {"fields": spec or {"display_name": {}}}
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
        projects = self.projects.with_env(self.env)
        return lambda round_: projects[round_].web_read(spec)

    def move(self):
        """Drag a card, with the message that Odoo logs about it, up to the commit."""
        waiting = self.projects[:: len(self.stages)].with_env(self.env)
        target = self.stages[1].id

        def drag(round_):
            waiting[round_].web_save({"stage_id": target}, {"stage_id": {}})
            self.cr.flush()

        return drag

    def time(self, lines):
        """Log time on a task of a project with prepaid hours, up to the commit."""
        values = {
            "name": "Work",
            "project_id": self.time_project.id,
            "task_id": self.time_project.tasks[0].id,
            "unit_amount": 0.5,
        }

        def log(_round):
            Line = self.env["account.analytic.line"]
            Line.create([dict(values) for _line in range(lines)])
            self.cr.flush()

        return log

    def balance(self, project):
        fields = ["pack_purchased_hours", "pack_remaining_hours", "uncovered_hours"]
        return lambda _round: project.with_env(self.env).read(fields)

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


def compare(name, calls, target, rounds):
    """Alternate between two calls, and print the medians and their ratio."""
    samples = ([], [])
    for round_ in range(rounds + 3):
        for (side, function), sample in zip(calls, samples, strict=True):
            sample.append(side.measure(function, round_))
    # The first rounds warm up the caches of the registries
    times = [statistics.median(t for t, _queries in sample[3:]) for sample in samples]
    queries = [sample[-1][1] for sample in samples]
    ratio = times[1] / times[0]
    print(
        f"{name:16}{times[0]:>11.1f} ms{times[1]:>11.1f} ms{ratio:>8.2f}"
        f"{queries[0]:>6} ->{queries[1]:>3}"
        + ("" if ratio <= target else f"   above {target}"),
        flush=True,
    )


def write_lines(database, user, project, results):
    """Log time line by line, as requests do it; give latencies, tries and errors.

    For a process of its own, which needs connections of its own.
    """
    sql_db._Pool = None  # the pool belongs to the parent
    logging.disable()  # what is tried again is counted, not told
    database = sql_db.db_connect(database)
    latencies, tries, errors = [], 0, 0

    def log():
        nonlocal tries
        tries += 1
        values = {"project_id": project, "name": "Work", "unit_amount": 0.1}
        env["account.analytic.line"].create(values)

    last = time.monotonic() + CROWD_SECONDS
    while time.monotonic() < last:
        started = time.monotonic()
        with database.cursor() as cr:
            env = api.Environment(cr, user, {})
            try:
                retrying(log, env)
            except Exception:  # what a user would see
                errors += 1
                continue
        latencies.append(time.monotonic() - started)
    results.put((latencies, tries, errors))


def crowd(side, project, writers):
    """Let people log time on one project at once; return what each one met."""
    side.cr.commit()
    fork = multiprocessing.get_context("fork")
    results = fork.SimpleQueue()
    arguments = (side.cr.dbname, side.manager.id, project.id, results)
    people = [fork.Process(target=write_lines, args=arguments) for _ in range(writers)]
    for person in people:
        person.start()
    return [results.get() for _person in people]


def compare_crowds(name, calls, target):
    """Print how many lines a second people can log at once, and what they meet."""
    for writers in CROWDS:
        samples = ([], [])
        for _round in range(CROWD_ROUNDS):
            for call, sample in zip(calls, samples, strict=True):
                sample += crowd(*call, writers)
        speeds = []
        print(f"{name}, {writers} at once: ", end="")
        for title, sample in zip(("stock", "addon"), samples, strict=True):
            latencies, tries, errors = zip(*sample, strict=True)
            latencies = sorted(sum(latencies, [])) or [0]
            speeds.append(len(latencies) / CROWD_SECONDS / CROWD_ROUNDS)
            print(
                f"{title} {speeds[-1]:.1f} lines/s, {sum(tries) - len(latencies)} "
                f"retries, {sum(errors)} errors, p95 "
                f"{1000 * latencies[int(0.95 * len(latencies))]:.0f} ms; ",
                end="",
            )
        ratio = speeds[1] / speeds[0]
        well = ratio >= target and not sum(errors)
        print(f"{ratio:.2f}" + ("" if well else f"   below {target}"), flush=True)


def main():
    print(f"Filling two databases with {PROJECTS} projects each …", flush=True)
    stock, ours = Side(os.environ["BENCH_STOCK_DATABASE"]), Side(env.cr.dbname)
    print(f"{'':16}{'stock':>14}{'addon':>14}{'ratio':>8}{'queries':>12}")
    for name, measure, target, rounds in (
        ("kanban", Side.kanban, TARGET, ROUNDS),
        ("move", Side.move, TARGET, ROUNDS),
        ("form", Side.form, TARGET, ROUNDS),
        ("1 hour", lambda side: side.time(1), TIME_TARGET, 4 * ROUNDS),
        ("1000 hours", lambda side: side.time(1000), TIME_TARGET, 9),
    ):
        compare(name, [(side, measure(side)) for side in (stock, ours)], target, rounds)
    sides = (stock, ours)
    calls = [(side, side.projects[10]) for side in sides]
    compare_crowds("Without an order", calls, 0.9)
    compare_crowds("Sold", [(side, side.time_project) for side in sides], 1.5)
    print("The balance with {:,} and {:,} lines …".format(*HISTORIES), flush=True)
    calls = []
    for project, lines in zip(ours.projects[-2:], HISTORIES, strict=True):
        ours.fill_history(project, lines)
        calls.append((ours, ours.balance(project)))
    compare("balance", calls, TARGET, ROUNDS)
    stock.cr.close()
    ours.cr.close()


main()

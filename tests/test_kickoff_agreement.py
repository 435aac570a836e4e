import json
from datetime import timedelta

from lxml import html

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from .common import SIGNATURE
from .kickoff_agreement_common import AgreementCommon


@tagged("post_install", "-at_install")
class TestKickoffConclusion(AgreementCommon):
    """The kick-off ends with the consultant stating that the project is feasible."""

    def _open_wizard(self, user=None):
        wizard = self.env["project.kickoff.wizard"].with_user(user or self.consultant)
        return Form(wizard.with_context(default_project_id=self.project.id))

    def test_all_points_agreed_is_a_go(self):
        with self._open_wizard() as form:
            self.assertEqual(form.conclusion, "go")
            self.assertEqual(form.agreed_point_count, 2)
            form.feasibility_statement = "Feasible in 80 hours"
        form.record.action_conclude()
        self.assertRecordValues(
            self.project.kickoff_agreement_ids,
            [
                {
                    "version": 1,
                    "state": "sent",
                    "conclusion": "go",
                    "feasibility_statement": "Feasible in 80 hours",
                    "sent_partner_id": self.spoc.id,
                    "changes": False,
                }
            ],
        )
        self.assertEqual(self.project.kickoff_conclusion, "go")

    def test_two_people_sharing_the_spoc_role_is_adapted_and_fine(self):
        point = self._create_point("What the SPOC is responsible for", "adapted")
        with self._open_wizard() as form:
            self.assertEqual(form.conclusion, "adapted")
            self.assertEqual(form.adapted_point_ids[:], point)
            form.feasibility_statement = "Two people share the role of the SPOC"
        form.record.action_conclude()
        self.assertEqual(self.project.kickoff_conclusion, "adapted")
        self.assertEqual(self.project.kickoff_agreement_state, "sent")

    def test_blocked_points_are_no_go_for_go(self):
        self._create_point("Only needed data is imported", "blocked")
        self.assertEqual(self._open_wizard().conclusion, "no_go")
        with self.assertRefused(UserError, "Only needed data is imported"):
            self._conclude_kickoff(self.project, "go")
        self.assertFalse(self.project.kickoff_agreement_ids)
        self.assertFalse(self.project.kickoff_conclusion)

    def test_refused_time_deduction_is_a_no_go_whatever_else_is_agreed(self):
        self.time.state = "blocked"
        form = self._open_wizard()
        self.assertEqual(form.conclusion, "no_go")
        self.assertTrue(form.is_refused)
        for conclusion in ("go", "adapted"):
            with (
                self.subTest(conclusion),
                self.assertRefused(UserError, "Analysis and project management"),
            ):
                self._conclude_kickoff(self.project, conclusion)
        self.assertFalse(self.project.kickoff_agreement_ids)

    def test_point_that_blocks_if_refused_is_a_no_go(self):
        self._create_point("Standard only", "blocked", is_blocking_if_refused=True)
        with self.assertRefused(UserError, "Standard only"):
            self._conclude_kickoff(self.project, "adapted")

    def test_no_go_goes_to_the_salesperson_and_not_to_the_client(self):
        self.time.state = "blocked"
        mails = self.env["mail.mail"].sudo()
        before = mails.search_count([])
        agreement = self._conclude_kickoff(
            self.project, "no_go", feasibility_statement="They want meetings only"
        )
        self.assertEqual(agreement.state, "draft")
        self.assertFalse(agreement.sent_on)
        self.assertEqual(self.project.kickoff_conclusion, "no_go")
        activity = self._get_activities("kickoff_no_go")
        self.assertEqual(activity.user_id, self.salesperson)
        self.assertIn("They want meetings only", activity.note)
        self.assertIn("Analysis and project management", activity.note)
        sent = mails.search([])[: mails.search_count([]) - before]
        self.assertNotIn(self.spoc, sent.recipient_ids)
        with self.assertRefused(UserError, "SPOC accepted the agreement"):
            self.project.stage_id = self.stage_implementation

    def test_no_go_is_over_with_the_next_go(self):
        self._conclude_kickoff(self.project, "no_go")
        self.assertTrue(self._get_activities("kickoff_no_go"))
        agreement = self._conclude_kickoff(self.project)
        self.assertEqual(agreement.version, 2)
        self.assertFalse(agreement.changes, "The client has seen no other version")
        self.assertFalse(self._get_activities("kickoff_no_go"))

    def test_no_go_without_salesperson_goes_to_the_director(self):
        self.project.salesperson_id = False
        self.env.company.project_director_id = self.manager
        self._conclude_kickoff(self.project, "no_go")
        self.assertEqual(self._get_activities("kickoff_no_go").user_id, self.manager)

    def test_gate_to_the_implementation_opens_with_the_acceptance(self):
        with self.assertRefused(UserError, "SPOC accepted the agreement"):
            self.project.stage_id = self.stage_implementation
        agreement = self._conclude_kickoff(self.project)
        with self.assertRefused(UserError, "SPOC accepted the agreement"):
            self.project.stage_id = self.stage_implementation
        agreement._accept(self.spoc, "Beatriz", SIGNATURE)
        self.project.with_user(self.consultant).stage_id = self.stage_implementation
        self.assertEqual(self.project.lifecycle_stage, "implementation")

    def test_what_is_missing_is_said_clearly(self):
        cases = (
            ("State in your own words", {"feasibility_statement": "  "}, None),
            (
                "no SPOC of the client",
                {},
                lambda: self.project.write({"spoc_id": False}),
            ),
            (
                "no valid e-mail address",
                {},
                lambda: self.spoc.write({"email": "beatriz"}),
            ),
            ("not a running client", {}, lambda: self.project.action_archive()),
        )
        for message, values, spoil in cases:
            with self.subTest(message), self.assertRefused(UserError, message):
                if spoil:
                    spoil()
                self._conclude_kickoff(self.project, **values)
        self.assertFalse(self.project.kickoff_agreement_ids)

    def test_not_before_the_client_kickoff(self):
        project = self._create_project(spoc_id=self.spoc.id)
        with self.assertRefused(UserError, "Internal kick-off"):
            self._conclude_kickoff(project)
        with self.assertRefused(UserError, "Internal kick-off"):
            project.with_user(self.consultant).action_conclude_kickoff()

    def test_only_who_runs_the_project_concludes(self):
        for user in (self.colleague, self.salesperson, self.spoc_user):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.env["project.kickoff.wizard"].with_user(user).create(
                    {
                        "project_id": self.project.id,
                        "conclusion": "go",
                        "feasibility_statement": "Mine",
                    }
                ).action_conclude()
        self.assertFalse(self.project.kickoff_agreement_ids)
        with self._open_wizard(self.manager) as form:
            form.feasibility_statement = "Feasible"
        form.record.action_conclude()
        self.assertEqual(self.project.kickoff_agreement_ids.create_uid, self.manager)

    def test_consultant_follows_the_acceptance_up(self):
        agreement = self._conclude_kickoff(self.project)
        activity = self._get_activities("kickoff_agreement")
        self.assertEqual(activity.user_id, self.consultant)
        self.assertEqual(
            activity.date_deadline, fields.Date.today() + timedelta(days=5)
        )
        agreement._accept(self.spoc, "Beatriz Soler", SIGNATURE)
        self.assertFalse(self._get_activities("kickoff_agreement"))
        message = self.project.message_ids.filtered(
            lambda message: message.author_id == self.spoc
        )
        self.assertIn("Beatriz Soler accepted version 1", message.body)
        self.assertIn(self.consultant.partner_id, message.notified_partner_ids)


@tagged("post_install", "-at_install")
class TestAgreementText(AgreementCommon):
    """What the SPOC reads: points, how time is deducted, scope with its reasons."""

    def _get_sections(self, agreement):
        root = html.fromstring(str(agreement.content))
        return {
            section.get("name"): " ".join(section.text_content().split())
            for section in root.iter("section")
        }

    def test_sections(self):
        self._create_pack(self.project, 80)
        self.line.write({"as_is": "Paper slips", "to_be": "Orders on the tablet"})
        sections = self._get_sections(self._conclude_kickoff(self.project))
        self.assertEqual(
            list(sections), ["conclusion", "points", "time", "scope", "phases"]
        )
        self.assertIn("Feasible with the hours bought.", sections["conclusion"])
        self.assertIn("Standard first: Agreed", sections["points"])
        self.assertIn("Every minute", sections["time"])
        self.assertIn("less visible work", sections["time"])
        self.assertIn("80:00", sections["time"])
        for text in (
            "Sales",
            "Orders are kept in spreadsheets",
            "Paper slips",
            "Orders on the tablet",
        ):
            self.assertIn(text, sections["scope"])

    def test_nothing_internal_leaves_the_house(self):
        self.standard.internal_note = "The director is impatient"
        self._create_point("Who decides there", "agreed", is_client_visible=False)
        self._create_point("Data of old years", "not_applicable")
        self.env["project.risk"].create(
            [
                {"project_id": self.project.id, "name": "Weak SPOC"},
                {
                    "project_id": self.project.id,
                    "name": "Deadline is tight",
                    "is_published": True,
                },
            ]
        )
        agreement = self._conclude_kickoff(self.project)
        for text in (
            "impatient",
            "Who decides there",
            "Data of old years",
            "Weak SPOC",
            "types itself",
        ):
            self.assertNotIn(text, agreement.content)
            self.assertNotIn(text, json.dumps(agreement.snapshot))
        self.assertIn("Deadline is tight", agreement.content)

    def test_scripts_in_answers_do_not_run(self):
        self.standard.answer = "<p>Yes<script>alert(1)</script></p>"
        self.line.reason = "<script>alert(2)</script>"
        agreement = self._conclude_kickoff(
            self.project, feasibility_statement="<img src=x onerror=alert(3)>"
        )
        self.assertNotIn("<script", agreement.content)
        self.assertNotIn("<img", agreement.content)
        self.assertIn("&lt;img", agreement.content)

    def test_text_is_frozen(self):
        agreement = self._conclude_kickoff(self.project)
        content = agreement.content
        self.standard.name = "Another point"
        self.line.reason = "Another reason"
        self.project.name = "Another name"
        agreement.invalidate_recordset()
        self.assertEqual(agreement.content, content)
        self.assertNotIn("Another", agreement.content)

    def test_text_is_in_the_language_of_the_spoc(self):
        self.env["ir.ui.view"].search(
            [("key", "=", "project_lifecycle.kickoff_agreement_content")]
        ).update_field_translations(
            "arch_db", {"es_ES": {"How time is deducted": "Cómo se descuenta"}}
        )
        self.spoc.lang = "es_ES"
        agreement = self._conclude_kickoff(self.project)
        self.assertEqual(agreement.lang, "es_ES")
        self.assertIn("Cómo se descuenta", agreement.content)
        self.assertNotIn("How time is deducted", agreement.content)


@tagged("post_install", "-at_install")
class TestAgreementVersions(AgreementCommon):
    """Changed scope means a new version; all versions stay readable."""

    def test_new_version_says_what_changed(self):
        first = self._conclude_kickoff(self.project)
        first._accept(self.spoc, "Beatriz", SIGNATURE)
        self.env["project.scope.line"].create(
            {
                "project_id": self.project.id,
                "application_id": self.inventory.id,
                "reason": "Stock of oil",
            }
        )
        self.line.wave = "improvement"
        self.standard.state = "adapted"
        second = self._conclude_kickoff(self.project, "adapted")
        self.assertEqual(second.version, 2)
        self.assertEqual(first.state, "outdated")
        self.assertEqual(second.state, "sent")
        self.assertEqual(
            second.changes.splitlines(),
            [
                "The conclusion is “Go with Adaptations” instead of “Go”.",
                "Point changed: Standard first",
                f"Changed in the scope: {self.line.display_name} (Wave)",
                f"Added to the scope: {self.inventory.name}",
            ],
        )
        self.assertTrue(first.signature)
        self.assertEqual(
            first.with_user(self.spoc_user).content,
            first.content,
            "The former version stays readable",
        )
        self.line.unlink()
        third = self._conclude_kickoff(self.project)
        self.assertIn("Removed from the scope: Sales", third.changes)

    def test_nothing_changed_is_said_too(self):
        self._conclude_kickoff(self.project)
        second = self._conclude_kickoff(self.project)
        self.assertEqual(second.changes, "Nothing of what was agreed on.")

    def test_changed_scope_asks_for_a_new_version(self):
        agreement = self._accept_agreement(self.project)
        self.assertFalse(self.project.kickoff_agreement_pending_changes)
        self.line.reason = "They want the orders on tablets"
        self.assertEqual(
            self.project.kickoff_agreement_pending_changes,
            "Changed in the scope: Sales (Reason)",
        )
        line = self.env["project.scope.line"].create(
            {"project_id": self.project.id, "application_id": self.inventory.id}
        )
        self.assertIn("Inventory", self.project.kickoff_agreement_pending_changes)
        line.unlink()
        self.line.reason = "Orders are kept in spreadsheets"
        self.assertFalse(agreement.pending_changes, "It is as it was agreed again")
        self.line.expectations = "Still too high"
        self.assertFalse(agreement.pending_changes, "This was not agreed on")

    def test_words_of_the_comparison_do_not_depend_on_the_reader(self):
        agreement = self._accept_agreement(self.project)
        self.sales.with_context(lang="es_ES").name = "Ventas"
        self.assertFalse(agreement.with_context(lang="es_ES").pending_changes)

    def test_pending_changes_of_many_projects_cost_as_few_queries_as_of_one(self):
        projects = self.project
        for number in range(10):
            project = self._create_project(name=f"P{number}", spoc_id=self.spoc.id)
            project.stage_id = self.stage_kickoff
            self.time.copy(
                {"checklist_id": self._create_checklist(project).id, "state": "agreed"}
            )
            self.env["project.scope.line"].create(
                [
                    {"project_id": project.id, "application_id": application.id}
                    for application in self.sales | self.inventory
                ]
            )
            projects += project
        for project in projects:
            project._conclude_kickoff("go", "Feasible")
        projects.scope_line_ids.reason = "Another one"
        counts = []
        for batch in (projects[:3], projects):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            batch.mapped("kickoff_agreement_pending_changes")
            counts.append(self.cr.sql_log_count - before)
        self.assertTrue(all(projects.mapped("kickoff_agreement_pending_changes")))
        self.assertEqual(counts[0], counts[1])

    def test_nobody_writes_or_deletes_agreements(self):
        accepted = self._accept_agreement(self.project)
        values = {
            "content": "<p>Free of charge</p>",
            "state": "sent",
            "signed_by": "Somebody",
            "signature": SIGNATURE,
        }
        admin = self.env.ref("base.user_admin")
        for user in (self.manager, self.consultant, self.spoc_user, admin):
            agreement = accepted.with_user(user).with_context(
                lifecycle_gate_pass=True, force=True, su=True, install_mode=True
            )
            for name, value in values.items():
                with self.subTest(f"{user.login} {name}"):
                    with self.assertRefused(AccessError, ""):
                        agreement.write({name: value})
            with self.subTest(user.login), self.assertRefused(AccessError, ""):
                agreement.unlink()
            with self.subTest(user.login), self.assertRefused(AccessError, ""):
                agreement.create(
                    {
                        "project_id": self.project.id,
                        "version": 9,
                        "conclusion": "go",
                        "feasibility_statement": "Mine",
                        "state": "accepted",
                    }
                )
            with self.subTest(f"{user.login} imports"):
                result = agreement.load(
                    [".id", "signed_by"], [[str(accepted.id), "Somebody"]]
                )
                self.assertFalse(result["ids"])
        self.assertRecordValues(
            accepted, [{"state": "accepted", "signed_by": self.spoc.name}]
        )

    def test_accepted_text_and_signature_are_frozen_for_the_system_too(self):
        accepted = self._accept_agreement(self.project).sudo()
        for vals in (
            {"content": "<p>Free</p>"},
            {"heading": "<p>Somebody else</p>"},
            {"client_name": "Somebody else"},
            {"version": 7},
            {"is_current": True},
            {"pdf_checksum": "0"},
            {"signed_by": "Somebody"},
            {"signed_on": False},
        ):
            with (
                self.subTest(vals),
                self.assertRefused(AccessError, "written by the system"),
            ):
                accepted.write(vals)
        with self.assertRefused(AccessError, "cannot be deleted"):
            accepted.unlink()
        with self.assertRefused(UserError, "Archive it instead"):
            self.project.unlink()

    def test_project_commands_do_not_write_agreements(self):
        accepted = self._accept_agreement(self.project)
        for command in (
            fields.Command.update(accepted.id, {"signed_by": "Somebody"}),
            fields.Command.delete(accepted.id),
            fields.Command.create(
                {"version": 8, "conclusion": "go", "feasibility_statement": "Mine"}
            ),
        ):
            with self.subTest(command), self.assertRefused(AccessError, ""):
                self.project.with_user(self.manager).write(
                    {"kickoff_agreement_ids": [command]}
                )

    def test_signature_file_cannot_be_replaced(self):
        accepted = self._accept_agreement(self.project)
        attachment = (
            self.env["ir.attachment"]
            .sudo()
            .search(
                [
                    ("res_model", "=", accepted._name),
                    ("res_id", "=", accepted.id),
                    ("res_field", "=", "signature"),
                ]
            )
        )
        self.assertTrue(attachment)
        for user in (self.manager, self.spoc_user):
            with self.subTest(user.login), self.assertRefused(AccessError, ""):
                attachment.with_user(user).write({"datas": SIGNATURE})
            with self.subTest(user.login), self.assertRefused(AccessError, ""):
                attachment.with_user(user).unlink()


@tagged("post_install", "-at_install")
class TestAgreementAcceptance(AgreementCommon):
    """The SPOC, and nobody else, accepts by name and signature, once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.agreement = cls._conclude_kickoff(cls.project)

    def test_acceptance_keeps_name_date_and_signature(self):
        self.agreement._accept(self.spoc, " Beatriz Soler ", SIGNATURE)
        self.assertRecordValues(
            self.agreement,
            [
                {
                    "state": "accepted",
                    "signed_by": "Beatriz Soler",
                    "signed_partner_id": self.spoc.id,
                }
            ],
        )
        self.assertTrue(self.agreement.signed_on)
        self.assertTrue(self.agreement.signature)

    def test_refused_acceptances(self):
        cases = (
            (AccessError, "Only the SPOC", self.contact, "Pablo", SIGNATURE),
            (AccessError, "Only the SPOC", self.stranger, "Amelia", SIGNATURE),
            (AccessError, "Only the SPOC", self.manager.partner_id, "M", SIGNATURE),
            (UserError, "Write your name", self.spoc, "  ", SIGNATURE),
            (UserError, "Write your name", self.spoc, None, SIGNATURE),
            (UserError, "Write your name", self.spoc, ["x"], SIGNATURE),
            (UserError, "Write your name", self.spoc, "Bea\0triz", SIGNATURE),
            (UserError, "Write your name", self.spoc, "\u202ezirtaeB", SIGNATURE),
            (UserError, "Write your name", self.spoc, "...", SIGNATURE),
            (UserError, "Write your name", self.spoc, "B" * 101, SIGNATURE),
            (UserError, "Sign to accept", self.spoc, "Beatriz", ""),
            (UserError, "not a picture", self.spoc, "Beatriz", "not base64!"),
            (UserError, "not a picture", self.spoc, "Beatriz", "aGVsbG8="),
            (UserError, "not a picture", self.spoc, "Beatriz", {"a": 1}),
            (UserError, "not a picture", self.spoc, "Beatriz", "PHN2Zy8+"),
            (UserError, "not a picture", self.spoc, "Beatriz", SIGNATURE[:80]),
            (UserError, "too large", self.spoc, "Beatriz", "AAAA" * 1024 * 1024),
        )
        for exception, message, partner, name, signature in cases:
            with (
                self.subTest(message=message, partner=partner.name, name=name),
                self.assertRefused(exception, message),
            ):
                self.agreement._accept(partner, name, signature)
        self.assertEqual(self.agreement.state, "sent")
        self.assertFalse(self.agreement.signed_on)

    def test_not_twice(self):
        self.agreement._accept(self.spoc, "Beatriz", SIGNATURE)
        with self.assertRefused(UserError, "already accepted"):
            self.agreement._accept(self.spoc, "Somebody else", SIGNATURE)
        self.assertEqual(self.agreement.signed_by, "Beatriz")

    def test_not_an_outdated_version(self):
        newest = self._conclude_kickoff(self.project)
        with self.assertRefused(UserError, "outdated"):
            self.agreement._accept(self.spoc, "Beatriz", SIGNATURE)
        newest._accept(self.spoc, "Beatriz", SIGNATURE)
        self.assertEqual(self.agreement.state, "outdated")

    def test_not_a_version_that_was_never_sent(self):
        no_go = self._conclude_kickoff(self.project, "no_go")
        with self.assertRefused(UserError, "was not sent"):
            no_go._accept(self.spoc, "Beatriz", SIGNATURE)

    def test_new_spoc_does_not_sign_what_the_former_was_sent(self):
        self.contact.email = "pablo@olivar.example.com"
        self.project.spoc_id = self.contact
        with self.assertRefused(AccessError, "Pablo Soler"):
            self.agreement._accept(self.spoc, "Beatriz", SIGNATURE)
        with self.assertRefused(UserError, "addressed to Beatriz Soler"):
            self.agreement._accept(self.contact, "Pablo", SIGNATURE)
        with self.assertRefused(UserError, "Conclude the kick-off again"):
            self.agreement.with_user(self.consultant).action_send_again()
        self.assertIn("SPOC", self.project.kickoff_agreement_pending_changes)
        newest = self._conclude_kickoff(self.project)
        self.assertIn("parties", newest.changes)
        newest._accept(self.contact, "Pablo", SIGNATURE)
        self.assertEqual(newest.signed_partner_id, self.contact)

    def test_nobody_signs_for_the_spoc(self):
        for user in (self.consultant, self.manager, self.contact_user):
            with self.subTest(user.login), self.assertRefused(AccessError, "Only the"):
                self.agreement.with_user(user).sudo()._accept(
                    self.spoc, "Beatriz", SIGNATURE
                )
        own = self.agreement.with_user(self.spoc_user).sudo()
        own._accept(self.spoc, "Beatriz", SIGNATURE)
        self.assertEqual(self.agreement.state, "accepted")

    def test_only_who_runs_the_project_sends_again(self):
        for user in (self.colleague, self.salesperson, self.spoc_user):
            with self.subTest(user.login), self.assertRefused(AccessError, ""):
                self.agreement.with_user(user).action_send_again()
        self.agreement._accept(self.spoc, "Beatriz", SIGNATURE)
        with self.assertRefused(UserError, "waits for the SPOC"):
            self.agreement.with_user(self.consultant).action_send_again()

    def test_who_reads_it(self):
        Agreement = self.env["project.kickoff.agreement"]
        no_go = self._conclude_kickoff(self.project, "no_go")
        both = self.agreement | no_go
        plain = new_test_user(self.env, "pl_plain", groups="base.group_user")
        for user, readable in (
            (self.consultant, both),
            (self.manager, both),
            (self.salesperson, both),
            (self.spoc_user, self.agreement),
            (self.contact_user, Agreement),
            (self.stranger_user, Agreement),
        ):
            with self.subTest(user.login):
                self.assertEqual(Agreement.with_user(user).search([]), readable)
        with self.assertRaises(AccessError):
            Agreement.with_user(plain).search([])
        self.project.salesperson_id = False
        self.assertFalse(Agreement.with_user(self.salesperson).search([]))

    def test_agreements_of_another_company_stay_there(self):
        company = self.env["res.company"].create({"name": "Other firm"})
        self.project.company_id = self.env.company
        stranger = new_test_user(
            self.env,
            "pl_other_manager",
            groups="project.group_project_manager",
            company_id=company.id,
            company_ids=[fields.Command.set(company.ids)],
        )
        self.assertFalse(
            self.env["project.kickoff.agreement"].with_user(stranger).search([])
        )

    def test_spoc_reads_no_snapshot(self):
        agreement = self.agreement.with_user(self.spoc_user)
        self.assertTrue(agreement.content)
        for name in ("snapshot", "pending_changes"):
            with self.subTest(name), self.assertRaises(AccessError):
                agreement.read([name])

import json

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import SIGNATURE
from .kickoff_agreement_common import AgreementCommon


@tagged("post_install", "-at_install")
class TestAgreementPage(AgreementCommon, HttpCase):
    """The page on which the SPOC reads and accepts."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.agreement = cls._conclude_kickoff(cls.project)
        cls.url = cls.agreement._get_page_path()

    def _accept_by_rpc(self, url=None, **params):
        response = self.url_open(
            f"{url or self.url}/accept",
            data=json.dumps({"params": params}),
            headers={"Content-Type": "application/json"},
        )
        return response.json()

    def test_who_opens_the_page(self):
        no_go = self._conclude_kickoff(self._create_project_in_kickoff(), "no_go")
        for login, url, status in (
            ("pl_spoc", self.url, 200),
            ("pl_consultant", self.url, 200),
            ("pl_manager", self.url, 200),
            ("pl_contact", self.url, 403),
            ("pl_stranger", self.url, 403),
            (None, self.url, 303),
            ("pl_spoc", no_go._get_page_path(), 403),
            ("pl_spoc", f"/my/projects/0/lifecycle/agreement/{self.agreement.id}", 404),
            ("pl_spoc", f"/my/projects/{self.project.id}/lifecycle/agreement/0", 404),
        ):
            for suffix in ("", "?report_type=pdf", "?access_token=1"):
                with self.subTest(login=login, url=url + suffix):
                    self.authenticate(login, login)
                    response = self.url_open(url + suffix, allow_redirects=False)
                    self.assertEqual(response.status_code, status)
                    if status != 200:
                        self.assertNotIn("Orders are kept", response.text)

    def _create_project_in_kickoff(self):
        project = self._create_project(name="Second", spoc_id=self.spoc.id)
        project.stage_id = self.stage_kickoff
        return project

    def test_page_shows_the_agreement_and_the_form_to_the_spoc_only(self):
        self.authenticate("pl_spoc", "pl_spoc")
        page = self.url_open(self.url).text
        self.assertIn("Orders are kept in spreadsheets", page)
        self.assertIn("portal.signature_form", page)
        self.authenticate("pl_consultant", "pl_consultant")
        page = self.url_open(self.url).text
        self.assertIn("Orders are kept in spreadsheets", page)
        self.assertNotIn("portal.signature_form", page)
        self.assertIn("Only the SPOC can accept", page)

    def test_spoc_accepts(self):
        self.authenticate("pl_spoc", "pl_spoc")
        answer = self._accept_by_rpc(name="Beatriz Soler", signature=SIGNATURE)
        self.assertEqual(answer["result"]["redirect_url"], f"{self.url}?accepted=1")
        self.assertRecordValues(
            self.agreement, [{"state": "accepted", "signed_by": "Beatriz Soler"}]
        )
        page = self.url_open(f"{self.url}?accepted=1").text
        self.assertIn("You have accepted the agreement", page)
        self.assertIn("Accepted by", page)
        self.assertNotIn("portal.signature_form", page)
        pdf = self.url_open(f"{self.url}?report_type=pdf").text
        self.assertIn("Accepted by", pdf)
        self.assertIn("data:image/png;base64", pdf)
        answer = self._accept_by_rpc(name="Again", signature=SIGNATURE)
        self.assertIn("already accepted", answer["result"]["error"])
        self.assertEqual(self.agreement.signed_by, "Beatriz Soler")

    def test_others_do_not_accept(self):
        for login, message in (
            ("pl_contact", "not yours"),
            ("pl_stranger", "not yours"),
            ("pl_manager", "Only the SPOC"),
            ("pl_consultant", "Only the SPOC"),
        ):
            with self.subTest(login):
                self.authenticate(login, login)
                answer = self._accept_by_rpc(name="Me", signature=SIGNATURE)
                self.assertIn(message, answer["result"]["error"])
        with mute_logger("odoo.http"):
            self.authenticate(None, None)
            answer = self._accept_by_rpc(name="Me", signature=SIGNATURE)
        self.assertIn("error", answer)
        self.assertEqual(self.agreement.state, "sent")

    def test_bad_acceptance_is_answered_with_a_sentence(self):
        self.authenticate("pl_spoc", "pl_spoc")
        for params, message in (
            ({}, "Write your name"),
            ({"name": "B"}, "Sign to accept"),
            ({"name": "B", "signature": "x"}, "not a picture"),
        ):
            with self.subTest(message):
                answer = self._accept_by_rpc(**params)
                self.assertIn(message, answer["result"]["error"])
        foreign = self.url.replace(f"/{self.project.id}/", "/0/")
        answer = self._accept_by_rpc(url=foreign, name="B", signature=SIGNATURE)
        self.assertIn("not yours", answer["result"]["error"])
        newest = self._conclude_kickoff(self.project)
        answer = self._accept_by_rpc(name="B", signature=SIGNATURE)
        self.assertIn("outdated", answer["result"]["error"])
        page = self.url_open(self.url).text
        self.assertIn("This version is outdated", page)
        self.assertIn(newest._get_page_path(), page)
        self.assertEqual(newest.state, "sent")

    @mute_logger("odoo.http")
    def test_neither_get_nor_forms_change_anything(self):
        self.authenticate("pl_spoc", "pl_spoc")
        query = f"name=Beatriz&signature={SIGNATURE}"
        self.url_open(f"{self.url}?{query}&accepted=1")
        response = self.url_open(f"{self.url}/accept?{query}")
        self.assertGreaterEqual(response.status_code, 400)
        # What a form on a foreign site could post, without the csrf token
        for url in (self.url, f"{self.url}/accept"):
            response = self.url_open(
                url, data={"name": "Beatriz", "signature": SIGNATURE}
            )
            self.assertGreaterEqual(response.status_code, 400)
        self.assertEqual(self.agreement.state, "sent")

    def test_no_go_after_a_sent_version_stays_inside(self):
        self._conclude_kickoff(self.project, "no_go")
        self.authenticate("pl_spoc", "pl_spoc")
        page = self.url_open(self.url).text
        self.assertIn("We are preparing a new one", page)
        self.assertNotIn("All versions", page)


@tagged("post_install", "-at_install")
class TestAgreementTour(AgreementCommon, HttpCase):
    """The consultant concludes, the SPOC signs, each in the browser."""

    def test_consultant_concludes_and_spoc_signs(self):
        self.start_tour(
            f"/odoo/project.project/{self.project.id}",
            "project_lifecycle_conclude_kickoff",
            login="pl_consultant",
            timeout=120,
        )
        agreement = self.project.kickoff_agreement_id
        self.assertEqual(agreement.state, "sent")
        self.assertEqual(agreement.feasibility_statement, "Feasible in 80 hours")
        self.start_tour(
            agreement._get_page_path(),
            "project_lifecycle_sign_agreement",
            login="pl_spoc",
            timeout=120,
        )
        agreement.invalidate_recordset()
        self.assertEqual(agreement.state, "accepted")
        self.assertEqual(agreement.signed_by, "Beatriz Soler")
        self.assertTrue(agreement.signature)

# The smallest picture that a signature can be
SIGNATURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9aw"
    "AAAABJRU5ErkJggg=="
)


class KickoffMixin:
    """Checklists settled and agreements accepted."""

    @classmethod
    def _settle(cls, checklists):
        """Discuss and agree on all points of checklists, and write the answers down."""
        checklists.project_id.write(
            {"spoc_it_affinity": "medium", "spoc_communication": "By phone"}
        )
        checklists.item_ids.write({"state": "agreed", "answer": "<p>Talked about</p>"})

    @classmethod
    def _conclude_kickoff(cls, project, conclusion="go", **values):
        """Conclude the kick-off of a project with the wizard, as its consultant.

        :return: the version of the agreement that this made (sudo)
        """
        wizard = (
            cls.env["project.kickoff.wizard"]
            .with_user(project.user_id)
            .create(
                {
                    "project_id": project.id,
                    "conclusion": conclusion,
                    "feasibility_statement": "Feasible with the hours bought.",
                }
                | values
            )
        )
        wizard.action_conclude()
        return project.sudo().kickoff_agreement_id

    @classmethod
    def _accept_agreement(cls, project):
        """Let the SPOC accept what the kick-off of a project is concluded with.

        All points of the kick-off are agreed on first.
        """
        cls._settle(project.checklist_ids.filtered(lambda c: c.kind == "kickoff"))
        agreement = cls._conclude_kickoff(project)
        agreement._accept(project.spoc_id, project.spoc_id.name, SIGNATURE)
        return agreement

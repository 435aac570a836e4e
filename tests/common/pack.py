class PackMixin:
    """Hours bought."""

    @classmethod
    def _create_pack(cls, project, hours=40, **values):
        """Create a consultancy pack for a project, without an order."""
        return cls.env["project.consultancy.pack"].create(
            {"name": "Pack", "project_id": project.id, "purchased_hours": hours}
            | values
        )

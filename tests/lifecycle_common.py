from .common import LifecycleCommon as AllRoomsCommon


class LifecycleCommon(AllRoomsCommon):
    """The criteria of this room alone: other rooms test theirs."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._keep_criteria(
            "kickoff_consultant",
            "kickoff_internal_meeting",
            "kickoff_spoc",
            "implementation_spoc",
            "implementation_kickoff_meeting",
        )

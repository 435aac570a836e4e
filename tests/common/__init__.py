from odoo.addons.base.tests.common import BaseCommon

from .access import AccessMixin
from .kickoff import SIGNATURE, KickoffMixin
from .lifecycle import LifecycleMixin
from .pack import PackMixin
from .probe import ProbeMixin


class LifecycleCommon(KickoffMixin, PackMixin, LifecycleMixin, BaseCommon):
    """The firm and two clients, with the helpers of all rooms."""


class AccessCommon(ProbeMixin, AccessMixin, BaseCommon):
    """A client project with everything in it, and everybody who may come near it."""

from odoo.addons.base.tests.common import BaseCommon

from .kickoff import SIGNATURE, KickoffMixin
from .lifecycle import LifecycleMixin
from .pack import PackMixin


class LifecycleCommon(KickoffMixin, PackMixin, LifecycleMixin, BaseCommon):
    """The firm and two clients, with the helpers of all rooms."""

"""What a campaign does to the world: send a plan, listen to what comes back."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pandas as pd

from wa_products import arms, frames
from wa_products.campaigns.measuring import measure
from wa_products.campaigns.queues import in_order, late, pace
from wa_products.campaigns.sender import Sender, message
from wa_products.campaigns.sources import bodies
from wa_products.errors import PlanError, SettingsError

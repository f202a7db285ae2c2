"""Who used how much: the ledger, ceilings, prices."""

from kuaibao.service.usage.budgets import Alert, Budget, BudgetBook
from kuaibao.service.usage.export import usage_csv
from kuaibao.service.usage.ledger import Ledger, UsageRow, UsageTotal
from kuaibao.service.usage.prices import Price, PriceList
from kuaibao.service.usage.quotas import Ceilings, QuotaBook, Reservation

__all__ = [
    "Alert",
    "Budget",
    "BudgetBook",
    "Ceilings",
    "Ledger",
    "Price",
    "PriceList",
    "QuotaBook",
    "Reservation",
    "UsageRow",
    "UsageTotal",
    "usage_csv",
]

"""The sample chain's receipts: believable, and the same each time."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any
from zoneinfo import ZoneInfo

from regulars_purchases import demo, demo_products
from regulars_web import demo as core_demo


def test_the_sample_chain_buys(empty_chain: Any) -> None:
    core_demo.fill(empty_chain.crm, "small")
    empty_chain.figures_are_exact()
    ((receipts, guests, returns, first, last),) = empty_chain.rows(
        "SELECT count(*), sum(CASE WHEN customer_id IS NULL THEN 1 ELSE 0 END), sum(CASE WHEN total_minor < 0 THEN 1 ELSE 0 END), "
        "CAST(min(business_date) AS TEXT), CAST(max(business_date) AS TEXT) FROM purchases_receipt"
    )
    assert receipts > 2000
    assert 0.08 < guests / receipts < 0.16
    assert 0.02 < returns / receipts < 0.06
    assert ("2024-11-20" < first < "2024-12-10", "2026-11-10" < last <= "2026-11-20") == (True, True)
    ((bought_before_christmas, bought_in_summer),) = empty_chain.rows(
        "SELECT sum(CASE WHEN substr(CAST(business_date AS TEXT), 6, 2) = '12' THEN 1 ELSE 0 END), "
        "sum(CASE WHEN substr(CAST(business_date AS TEXT), 6, 2) = '07' THEN 1 ELSE 0 END) FROM purchases_receipt"
    )
    assert bought_before_christmas > bought_in_summer * 1.3


def test_it_is_the_same_each_time() -> None:
    sample = demo_products.articles()
    shops = [demo.Shop(1, "M1", ZoneInfo("Europe/Stockholm"), "SEK"), demo.Shop(2, "WEB", ZoneInfo("Europe/Stockholm"), "EUR")]

    def sold() -> list[demo.Sold]:
        sales = demo.Sales(random.Random(demo.SEED), sample, range(1, len(sample) + 1), shops)
        return [receipt for customer in range(1, 50) for receipt in sales.of(customer, 1, dt.date(2024, 5, 1))]

    assert sold() == sold()


def test_every_sample_article_is_another_one() -> None:
    sample = demo_products.articles()
    assert len({article.sku for article in sample}) == len({article.name for article in sample}) == len(sample) == 120


def test_customers_buy_after_they_joined_and_some_stay_away(empty_chain: Any) -> None:
    core_demo.fill(empty_chain.crm, "small")
    ((too_early, joined_late),) = empty_chain.rows(
        "SELECT sum(CASE WHEN r.sold_at < c.created_at THEN 1 ELSE 0 END), sum(CASE WHEN c.created_at > '2025-01-01' THEN 1 ELSE 0 END) "
        "FROM purchases_receipt r JOIN customer c ON c.id = r.customer_id"
    )
    assert (too_early, joined_late > 500) == (0, True)
    ((buyers, lapsed),) = empty_chain.rows(
        "SELECT count(*), sum(CASE WHEN last < '2026-05-25' THEN 1 ELSE 0 END) "
        "FROM (SELECT max(CAST(business_date AS TEXT)) AS last FROM purchases_receipt WHERE customer_id IS NOT NULL "
        "GROUP BY customer_id) seen"
    )
    assert 0.2 < lapsed / buyers < 0.45

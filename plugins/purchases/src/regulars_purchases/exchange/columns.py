"""The columns of products and sales, with the headings they are known by in Swedish, Russian, Persian, Chinese and English."""

from __future__ import annotations

from regulars_plugin_api.exchange import Column, ColumnType
from regulars_plugin_api.i18n import Text
from regulars_purchases.i18n import _

CODE, NUMBER, TEXT, DATETIME = ColumnType.CODE, ColumnType.NUMBER, ColumnType.TEXT, ColumnType.DATETIME
_ARTICLE = "artikelnummer|artikelnr|артикул|کد کالا|货号|article number|article|item number|product id|product code"
_RECEIPT = "kvittonummer|kvittonr|номер чека|شماره رسید|小票号|receipt number|receipt"
_TIME = "tidpunkt|såld|datum|время продажи|дата|زمان فروش|تاریخ|销售时间|日期|date|timestamp"
_CUSTOMER = "kundnummer|kundnr|medlemsnr|номер клиента|شماره مشتری|客户编号|customer id|customer no|member number|member no"


def _column(name: str, title: Text, aliases: str, type: ColumnType = TEXT, required: bool = False) -> Column:
    return Column(name, title, type, required, tuple(aliases.split("|")))


PRODUCT_COLUMNS = (
    _column("sku", _("Article number"), _ARTICLE, CODE, required=True),
    _column("name", _("Name"), "namn|benämning|название|نام کالا|商品名称|product name|description"),
    _column("brand", _("Brand"), "märke|varumärke|бренд|برند|品牌"),
    _column("department", _("Department"), "avdelning|отдел|بخش|部门"),
    _column("category", _("Category"), "kategori|категория|دسته|类别|product category"),
    _column("subcategory", _("Subcategory"), "underkategori|подкатегория|زیردسته|子类别|sub category|product type"),
    _column("price", _("Price"), "pris|цена|قیمت|价格", NUMBER),
    _column("cost", _("Cost"), "kostnad|inköpspris|себестоимость|هزینه|成本|purchase price", NUMBER),
    _column("currency", _("Currency"), "valuta|валюта|ارز|货币", CODE),
    _column("barcode", _("Bar code"), "streckkod|штрихкод|بارکد|条码|bar code|ean|gtin|upc", CODE),
)

SALE_COLUMNS = (
    _column("receipt_no", _("Receipt number"), _RECEIPT, CODE, required=True),
    _column("line_no", _("Line number"), "radnummer|radnr|номер строки|شماره سطر|行号|line number|line", CODE),
    _column("sold_at", _("Time of sale"), _TIME, DATETIME, required=True),
    _column("store", _("Store"), "butik|butikskod|магазин|فروشگاه|门店|store code|store id|shop", CODE, required=True),
    _column("till", _("Till"), "kassa|касса|صندوق|收银台|register|pos", CODE),
    _column("cashier", _("Cashier"), "kassör|кассир|صندوقدار|收银员"),
    _column("customer_external_id", _("Customer number"), _CUSTOMER, CODE),
    _column("customer_email", _("Customer's e-mail"), "e-post|эл. почта|ایمیل|电子邮件|email|e-mail"),
    _column("customer_phone", _("Customer's phone"), "telefon|телефон|تلفن|电话|phone|mobile"),
    _column("sku", _("Article number"), _ARTICLE, CODE),
    _column("quantity", _("Quantity"), "antal|количество|تعداد|数量|qty|units", NUMBER),
    _column("unit_price", _("Unit price"), "styckpris|à-pris|pris|цена|قیمت واحد|单价|price", NUMBER),
    _column("amount", _("Amount"), "belopp|radsumma|сумма|مبلغ|金额|line total|sales value", NUMBER),
    _column("discount", _("Discount"), "rabatt|скидка|تخفیف|折扣", NUMBER),
    _column("cost", _("Unit cost"), "kostnad|inköpspris|себестоимость|هزینه|成本|unit cost", NUMBER),
    _column("currency", _("Currency"), "valuta|валюта|ارز|货币", CODE),
    _column("kind", _("Sale or return"), "typ|тип|نوع|类型|type"),
)

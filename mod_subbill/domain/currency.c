/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "domain/currency.h"

#include <string.h>

static const char codes[] =
    "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd "
    "btn bwp "
    "byn bzd cad cdf chf clp cny cop crc cup cve czk djf dkk dop dzd egp ern etb eur fjd "
    "fkp gbp "
    "gel ghs gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr iqd irr isk jmd jod jpy kes "
    "kgs khr "
    "kmf kpw krw kwd kyd kzt lak lbp lkr lrd lsl lyd mad mdl mga mkd mmk mnt mop mru mur "
    "mvr mwk "
    "mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub "
    "rwf sar "
    "sbd scr sdg sek sgd shp sle sos srd ssp std stn svc syp szl thb tjs tmt tnd top try "
    "ttd twd "
    "tzs uah ugx usd uyu uzs ved ves vnd vuv wst xaf xcd xcg xof xpf yer zar zmw zwg";

bool sb_currency_known(const char *code)
{
    if (strlen(code) != 3 || strchr(code, ' ')) {
        return false;
    }
    const char *found = strstr(codes, code);
    return found && (found - codes) % 4 == 0;
}

int sb_currency_step(const char *code)
{
    static const struct {
        char code[4];
        int step;
    } steps[] = {{"bhd", 10}, {"jod", 10},  {"kwd", 10}, {"omr", 10},
                 {"tnd", 10}, {"isk", 100}, {"ugx", 100}};

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (strcmp(code, steps[i].code) == 0) {
            return steps[i].step;
        }
    }
    return 1;
}

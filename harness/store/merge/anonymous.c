/* Pseudonyms; anonymous.h is the manual. Texts that people and machines leave are replaced wherever
 * a column can hold them: a test looks for them among all bytes of the file. */
#include "store/merge/anonymous.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

enum { DIGITS = 8, ORIGIN_DIGITS = STORE_IDENTITY - 1 };

/* pseudonym(KIND, TEXT): "host-1a2b3c4d", or of no kind what can be an identity; NULL and "" stay.
 * Keyed by the secret, since who could guess a host's name could also hash it. */
static void pseudonym(sqlite3_context *context, int n, sqlite3_value **values) {
    const char *secret = sqlite3_user_data(context);
    const char *kind = (const char *)sqlite3_value_text(values[0]);
    const char *text = (const char *)sqlite3_value_text(values[1]);
    char hex[HASH_HEX], name[64], *keyed = NULL;
    (void)n;
    if (!text || !text[0]) {
        sqlite3_result_value(context, values[1]);
        return;
    }
    if (asprintf(&keyed, "%s %s %s", secret, kind, text) < 0) {
        sqlite3_result_error_nomem(context);
        return;
    }
    hash_hex(keyed, strlen(keyed), hex);
    free(keyed);
    if (kind[0])
        snprintf(name, sizeof name, "%.32s-%.*s", kind, DIGITS, hex);
    else
        snprintf(name, sizeof name, "%.*s", ORIGIN_DIGITS, hex);
    sqlite3_result_text(context, name, -1, SQLITE_TRANSIENT);
}

/* The lines of a text, `key`: their number. */
#define LINES(text) "json_each('[' || replace(json_quote(" text "), '\\n', '\",\"') || ']')"

/* Of a specification, the values that are paths; one without a slash is a name. Of a network, all
 * but its comments. */
static const char make_sql[] =
    "UPDATE attempts SET host = pseudonym('host', host), command = pseudonym('command', command),"
    " reason = pseudonym('reason', reason), commit_id = pseudonym('commit', commit_id),"
    " origin = pseudonym('', origin), log = pseudonym('path', log), job = pseudonym('job', job);"
    "UPDATE retries SET host = pseudonym('host', host);"
    "UPDATE latencies SET host = pseudonym('host', host),"
    " commit_id = pseudonym('commit', commit_id);"
    "UPDATE runs SET excluded = pseudonym('reason', excluded),"
    " spec = (SELECT group_concat(CASE"
    "   WHEN value LIKE 'init = %' AND value <> 'init = none'"
    "     THEN 'init = ' || pseudonym('path', substr(value, 8))"
    "   WHEN value LIKE 'dataset = %/%' THEN 'dataset = ' || pseudonym('path', substr(value, 11))"
    "   WHEN value LIKE 'network = %/%' THEN 'network = ' || pseudonym('path', substr(value, 11))"
    "   ELSE value END, char(10)) FROM (SELECT value FROM " LINES(
        "spec") " ORDER BY key)),"
                " params = iif(json_extract(params, '$.init') IS NULL, params,"
                "  json_replace(params, '$.init', pseudonym('path', json_extract(params, "
                "'$.init')))),"
                " cfg = (SELECT coalesce(group_concat(value, char(10)), '') FROM (SELECT value "
                "FROM " LINES("cfg") " WHERE trim(value, ' ' || char(9)) NOT LIKE '#%' AND "
                                     "trim(value, ' ' || char(9)) NOT LIKE ';%'"
                                     " ORDER BY key));"
                                     "UPDATE identity SET anonymous = 1";

int anonymous_make(struct store *s, const char *secret, struct error *e) {
    char drawn[HASH_HEX];
    unsigned char bytes[16];
    if (!secret[0]) {
        sqlite3_randomness(sizeof bytes, bytes);
        hash_hex(bytes, sizeof bytes, drawn);
        secret = drawn;
    }
    if (sqlite3_create_function(s->db, "pseudonym", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
                                (void *)secret, pseudonym, NULL, NULL) != SQLITE_OK)
        return sql_fail(s, e);
    int status = sql_run(s, make_sql, e);
    sqlite3_create_function(s->db, "pseudonym", 2, SQLITE_UTF8, NULL, NULL, NULL, NULL);
    return status;
}

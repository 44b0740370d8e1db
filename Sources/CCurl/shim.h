#pragma once
#include <curl/curl.h>

// curl's setters and getters are variadic, which Swift cannot call: one typed wrapper for each kind of value.

static inline CURLcode shim_easy_set_long(CURL *easy, CURLoption option, long value) {
    return (curl_easy_setopt)(easy, option, value);
}

static inline CURLcode shim_easy_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return (curl_easy_setopt)(easy, option, value);
}

// curl copies the string.
static inline CURLcode shim_easy_set_string(CURL *easy, CURLoption option, const char *value) {
    return (curl_easy_setopt)(easy, option, value);
}

static inline CURLcode shim_easy_set_pointer(CURL *easy, CURLoption option, void *value) {
    return (curl_easy_setopt)(easy, option, value);
}

static inline CURLcode shim_easy_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return (curl_easy_setopt)(easy, option, value);
}

static inline CURLcode shim_easy_set_callback(CURL *easy, CURLoption option, curl_write_callback value) {
    return (curl_easy_setopt)(easy, option, value);
}

static inline CURLcode shim_easy_get_long(CURL *easy, CURLINFO info, long *value) {
    return (curl_easy_getinfo)(easy, info, value);
}

static inline CURLcode shim_easy_get_string(CURL *easy, CURLINFO info, const char **value) {
    return (curl_easy_getinfo)(easy, info, value);
}

// The certificates of a TLS server, in lists of lines; NULL where curl has none.
static inline const struct curl_certinfo *shim_easy_get_certificates(CURL *easy) {
    struct curl_certinfo *certificates = NULL;
    return (curl_easy_getinfo)(easy, CURLINFO_CERTINFO, &certificates) == CURLE_OK ? certificates : NULL;
}

static inline CURLMcode shim_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return (curl_multi_setopt)(multi, option, value);
}

// The result of a finished transfer; CURL_LAST where the message is of another kind.
static inline CURLcode shim_message_result(const CURLMsg *message) {
    return message->msg == CURLMSG_DONE ? message->data.result : CURL_LAST;
}

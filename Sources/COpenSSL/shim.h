#pragma once
// What Swift cannot call by itself: macros, variadic functions and typed stacks, each in a function of its own.
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

/// The macro `EVP_RSA_gen`.
static inline EVP_PKEY *shim_rsa_generate(size_t bits) {
    return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", bits);
}

/// The macro `EVP_EC_gen`.
static inline EVP_PKEY *shim_ec_generate(const char *curve) {
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve);
}

/// `X509V3_EXT_nconf_nid` in the context that the extensions `hash` and `keyid` need; issuer and subject may be NULL.
static inline X509_EXTENSION *shim_extension(X509 *issuer, X509 *subject, int nid, const char *value) {
    X509V3_CTX context = {0};
    X509V3_set_ctx(&context, issuer, subject, NULL, NULL, 0);
    return X509V3_EXT_nconf_nid(NULL, &context, nid, value);
}

/// `X509_REQ_add_extensions` with a stack of one.
static inline int shim_request_add_extension(X509_REQ *request, X509_EXTENSION *extension) {
    STACK_OF(X509_EXTENSION) *stack = sk_X509_EXTENSION_new_null();
    int done = stack != NULL && sk_X509_EXTENSION_push(stack, extension) > 0
        && X509_REQ_add_extensions(request, stack) == 1;
    sk_X509_EXTENSION_free(stack);
    return done;
}

/// `X509_get_ext_d2i` of the subject's alternative names. `state` is 0 or 1 (critical) where there are any, -1 where
/// there is no such extension, -2 where there are several.
static inline GENERAL_NAMES *shim_alternative_names(const X509 *certificate, int *state) {
    return (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, state, NULL);
}

static inline int shim_general_name_count(const GENERAL_NAMES *names) {
    return sk_GENERAL_NAME_num(names);
}

static inline GENERAL_NAME *shim_general_name(const GENERAL_NAMES *names, int index) {
    return sk_GENERAL_NAME_value(names, index);
}

/// The string of a DNS name; NULL where the name is of another kind.
static inline const ASN1_STRING *shim_dns_name(const GENERAL_NAME *name) {
    return name->type == GEN_DNS ? name->d.dNSName : NULL;
}

/// A name on one line as in RFC 4514, with UTF-8 left as it is.
static inline int shim_print_name(BIO *output, const X509_NAME *name) {
    return X509_NAME_print_ex(output, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
}

/// `PKCS12_create` with OpenSSL's own choice of algorithms, and an array in the place of the stack.
static inline PKCS12 *shim_pkcs12_create(
    const char *passphrase, const char *name, EVP_PKEY *key, X509 *leaf, X509 *const *issuers, int count) {
    STACK_OF(X509) *stack = sk_X509_new_null();
    int complete = stack != NULL;
    for (int index = 0; complete && index < count; index++) complete = sk_X509_push(stack, issuers[index]) > 0;
    PKCS12 *made = complete
        ? PKCS12_create(passphrase, name, key, leaf, stack, 0, 0, PKCS12_DEFAULT_ITER, PKCS12_DEFAULT_ITER, 0)
        : NULL;
    sk_X509_free(stack);
    return made;
}

/// How many certificates a stack holds; 0 where there is none.
static inline int shim_certificate_count(const STACK_OF(X509) *stack) {
    return stack == NULL ? 0 : sk_X509_num(stack);
}

static inline X509 *shim_certificate(const STACK_OF(X509) *stack, int index) {
    return sk_X509_value(stack, index);
}

/// Frees a stack with its certificates.
static inline void shim_free_certificates(STACK_OF(X509) *stack) {
    sk_X509_pop_free(stack, X509_free);
}

/// `X509_verify_cert` of a TLS server's certificate at a time, with an array in the place of the stack of intermediate
/// certificates. `problem` is what is wrong, `X509_V_OK` where nothing is. Returns 0 where OpenSSL itself fails.
static inline int shim_verify_server(
    X509_STORE *store, X509 *leaf, X509 *const *issuers, int count, time_t time, int *problem) {
    STACK_OF(X509) *stack = sk_X509_new_null();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    int complete = stack != NULL && context != NULL;
    for (int index = 0; complete && index < count; index++) complete = sk_X509_push(stack, issuers[index]) > 0;
    complete = complete && X509_STORE_CTX_init(context, store, leaf, stack) == 1
        && X509_STORE_CTX_set_default(context, "ssl_server") == 1;
    if (complete) {
        X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context), time);
        *problem = X509_verify_cert(context) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context);
    }
    X509_STORE_CTX_free(context);
    sk_X509_free(stack);
    return complete;
}

/// The macro `OPENSSL_free`.
static inline void shim_free(void *memory) {
    OPENSSL_free(memory);
}

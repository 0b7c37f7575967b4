/* jwt_vectors.h — keys and tokens of RFC 7515 appendix A (HS256, RS256, ES256) and the key of RFC 8037 appendix A with a token signed by
 * `openssl pkeyutl`. A table of data for test_jwt.c and test_jwt_key.c. */
#ifndef SPEC_UNIT_PROTOCOL_JWT_VECTORS_H
#define SPEC_UNIT_PROTOCOL_JWT_VECTORS_H

/* {"iss":"joe", "exp":1300819380, "http://example.com/is_root":true} */
#define PAYLOAD "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

#define OCT_K   "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
#define OCT_JWK "{\"kty\":\"oct\",\"k\":\"" OCT_K "\"}"
/* {"typ":"JWT", "alg":"HS256"} */
#define HS256_SIGNATURE "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define HS256_TOKEN     "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." PAYLOAD "." HS256_SIGNATURE

#define RSA_N                                                                                                                              \
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b" \
    "32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5" \
    "IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
#define RSA_JWK "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\"}"
#define RS256_TOKEN                                                                                                                        \
    "eyJhbGciOiJSUzI1NiJ9." PAYLOAD                                                                                                        \
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BA" \
    "ynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phC" \
    "nvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"

#define EC_JWK                                                                                                                             \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","                                             \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"
#define ES256_TOKEN                                                                                                                        \
    "eyJhbGciOiJFUzI1NiJ9." PAYLOAD ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"

#define ED_X   "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define ED_JWK "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\",\"kid\":\"ed\",\"use\":\"sig\",\"alg\":\"EdDSA\"}"
/* {"alg":"EdDSA","kid":"ed"} */
#define EDDSA_TOKEN                                                                                                                        \
    "eyJhbGciOiJFZERTQSIsImtpZCI6ImVkIn0." PAYLOAD                                                                                         \
    ".Y61UhGX-iXOJr-SM9JW0syuy-EN35N1UUy8xXX6dWzXUDj0DCl7dPCO7SeBuVH9hkp3HOcZuvf8Z4yIwQrdYAQ"

#define RSA_1024_N                                                                                                                         \
    "pFnBfbs8WP4P6tVW6FnVcqf0fuoB4Aqx88DEAjOiPxssDPF4feHtMkDAx0zsUXmvod-LXCSZuLZiwc0aI_hNsrOQNtIiaZUii-_M72IhLzRXyQvelKdLgycfiPNa2cbCojl7" \
    "OHbBMUIDDFzihpUgqfN0szDvki6C0saJcxsXkEk"

#endif

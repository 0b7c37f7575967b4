# LLHTTP::LLHTTP, compiled from the C sources that Debian's node-llhttp installs: there is no library package.
# LLHTTP_STRICT_MODE must be on: the loose default accepts request smuggling forms (vendor/README.md).
find_path(LLHTTP_SOURCE_DIR NAMES llhttp.c PATHS /usr/share/llhttp NO_DEFAULT_PATH)
# The directory that holds llhttp.h alone, so that no other header comes into view with it.
find_path(LLHTTP_INCLUDE_DIR NAMES llhttp.h PATHS /usr/share/include/llhttp NO_DEFAULT_PATH)
if(LLHTTP_INCLUDE_DIR)
    file(STRINGS "${LLHTTP_INCLUDE_DIR}/llhttp.h" lines REGEX "^#define LLHTTP_VERSION_(MAJOR|MINOR|PATCH) +[0-9]+$")
    list(TRANSFORM lines REPLACE "^.* " "")
    list(JOIN lines "." LLHTTP_VERSION)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LLHTTP REQUIRED_VARS LLHTTP_SOURCE_DIR LLHTTP_INCLUDE_DIR VERSION_VAR LLHTTP_VERSION)
if(LLHTTP_FOUND AND NOT TARGET LLHTTP::LLHTTP)
    add_library(vendor_llhttp STATIC "${LLHTTP_SOURCE_DIR}/llhttp.c" "${LLHTTP_SOURCE_DIR}/api.c" "${LLHTTP_SOURCE_DIR}/http.c")
    target_include_directories(vendor_llhttp SYSTEM PUBLIC "${LLHTTP_INCLUDE_DIR}")
    target_compile_definitions(vendor_llhttp PUBLIC LLHTTP_STRICT_MODE=1)
    target_compile_options(vendor_llhttp PRIVATE -w)
    add_library(LLHTTP::LLHTTP ALIAS vendor_llhttp)
endif()

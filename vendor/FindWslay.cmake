# Wslay::Wslay from Debian's libwslay-dev. The header of 1.1.1 calls itself 1.0.1.
find_path(Wslay_INCLUDE_DIR NAMES wslay/wslay.h)
find_library(Wslay_LIBRARY NAMES wslay)
if(Wslay_INCLUDE_DIR)
    file(STRINGS "${Wslay_INCLUDE_DIR}/wslay/wslayver.h" line REGEX "^#define WSLAY_VERSION +\"[^\"]+\"$")
    string(REGEX REPLACE ".*\"([0-9.]+)[^\"]*\".*" "\\1" Wslay_VERSION "${line}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Wslay REQUIRED_VARS Wslay_LIBRARY Wslay_INCLUDE_DIR VERSION_VAR Wslay_VERSION)
if(Wslay_FOUND AND NOT TARGET Wslay::Wslay)
    add_library(Wslay::Wslay UNKNOWN IMPORTED)
    set_target_properties(Wslay::Wslay PROPERTIES IMPORTED_LOCATION "${Wslay_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${Wslay_INCLUDE_DIR}")
endif()

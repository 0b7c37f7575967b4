# Lua54::Lua54 from Debian's liblua5.4-dev. The headers live in a folder of their own; CMake's FindLua may pick another installed Lua.
find_path(Lua54_INCLUDE_DIR NAMES lua.h PATH_SUFFIXES lua5.4 NO_CMAKE_ENVIRONMENT_PATH)
find_library(Lua54_LIBRARY NAMES lua5.4)
if(Lua54_INCLUDE_DIR)
    file(STRINGS "${Lua54_INCLUDE_DIR}/lua.h" lines REGEX "^#define LUA_VERSION_(MAJOR|MINOR|RELEASE)[ \t]+\"[0-9]+\"$")
    list(TRANSFORM lines REPLACE ".*\"([0-9]+)\".*" "\\1")
    list(JOIN lines "." Lua54_VERSION)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Lua54 REQUIRED_VARS Lua54_LIBRARY Lua54_INCLUDE_DIR VERSION_VAR Lua54_VERSION)
if(Lua54_FOUND AND NOT TARGET Lua54::Lua54)
    add_library(Lua54::Lua54 UNKNOWN IMPORTED)
    set_target_properties(
        Lua54::Lua54
        PROPERTIES IMPORTED_LOCATION "${Lua54_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${Lua54_INCLUDE_DIR}" INTERFACE_LINK_LIBRARIES m
    )
endif()

# LuaCjson::LuaCjson, the static library of Debian's lua-cjson-dev built for Lua 5.4. It leaves Lua's symbols to Lua54::Lua54.
find_path(LuaCjson_INCLUDE_DIR NAMES lua-cjson.h PATH_SUFFIXES lua5.4)
find_library(LuaCjson_LIBRARY NAMES liblua5.4-cjson.a)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LuaCjson REQUIRED_VARS LuaCjson_LIBRARY LuaCjson_INCLUDE_DIR)
if(LuaCjson_FOUND AND NOT TARGET LuaCjson::LuaCjson)
    add_library(LuaCjson::LuaCjson STATIC IMPORTED)
    set_target_properties(
        LuaCjson::LuaCjson
        PROPERTIES IMPORTED_LOCATION "${LuaCjson_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${LuaCjson_INCLUDE_DIR}"
                   INTERFACE_LINK_LIBRARIES Lua54::Lua54
    )
endif()

-- No flows: the benchmarks mount their canvas themselves.
return { tenants = {} }

// Runs one function: `export default { fetch }`, or a file that calls Deno.serve() itself.
// DENO_SERVE_ADDRESS says where.

const [entrypoint] = Deno.args
const { default: app } = await import(entrypoint)
if (typeof app?.fetch === 'function') {
  Deno.serve((request) => app.fetch(request))
}

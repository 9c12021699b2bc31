// What a function sees of a request, and of its environment.
export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url)
    const headers = {
      'access-control-allow-origin': 'https://app.example',
      'x-seen-by': 'echo',
    }
    const seen = {
      method: request.method,
      path: pathname + search,
      headers: Object.fromEntries(request.headers),
      body: await request.text(),
      environment: Deno.env.toObject(),
    }
    const status = Number(request.headers.get('x-wanted-status') ?? 200)
    return Response.json(seen, { status, headers })
  },
}

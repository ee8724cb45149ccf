/** The bundler gives such a file a hashed name; importing it gives its address. */
declare module '*.svg' {
  const address: string
  export default address
}

export { Page, pageOf, pageQuery } from './models.ts'

throw new Error('this function can not start')
